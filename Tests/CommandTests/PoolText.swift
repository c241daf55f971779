import Foundation

/// What a dump in XML says, mapping by mapping, with shared parts put where they are referred to.
struct PoolText: Equatable {
  struct Mapping: Hashable {
    let virtual: UInt64
    let data: UInt64
    let time: UInt64
  }

  struct Device: Equatable {
    var attributes: [String: String]
    var mappings: [Mapping] = []
  }

  /// Attributes of the superblock, but `flags`, which versions treat differently.
  private(set) var pool: [String: String] = [:]
  private(set) var devices: [UInt64: Device] = [:]

  /// One element a line, as all versions write it.
  init(_ xml: Data) {
    var shared: [String: [Mapping]] = [:]
    var sharedName: String?
    var device: UInt64?
    func add(_ mappings: [Mapping]) {
      if let sharedName {
        shared[sharedName, default: []] += mappings
      } else if let device {
        devices[device]?.mappings += mappings
      }
    }
    for line in xml.split(separator: UInt8(ascii: "\n")) {
      let (tag, attributes) = PoolText.element(line)
      func value(_ name: String) -> UInt64 { attributes[name].flatMap(UInt64.init) ?? .max }
      switch tag {
      case "superblock":
        pool = attributes
        pool["flags"] = nil
      case "def": sharedName = attributes["name"]
      case "/def": sharedName = nil
      case "device":
        device = value("dev_id")
        devices[value("dev_id")] = Device(attributes: attributes)
      case "ref": add(shared[attributes["name"] ?? ""] ?? [])
      case "single_mapping":
        add([
          Mapping(
            virtual: value("origin_block"), data: value("data_block"), time: value("time"))
        ])
      case "range_mapping":
        add(
          (0..<value("length")).map {
            Mapping(
              virtual: value("origin_begin") + $0, data: value("data_begin") + $0,
              time: value("time"))
          })
      default: break
      }
    }
  }

  var mappingCount: Int { devices.values.reduce(0) { $0 + $1.mappings.count } }

  /// The same without the pool's own numbers, which a repair may have had to guess.
  var mappings: [UInt64: [Mapping]] { devices.mapValues(\.mappings) }

  /// The tag's name and its attributes: quotation marks stand nowhere but round values.
  private static func element(_ line: Data) -> (String, [String: String]) {
    let parts = line.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    let first = parts[0].drop { $0 == " " || $0 == "<" }
    let tag = first.prefix { $0 != " " && $0 != ">" }
    var attributes: [String: String] = [:]
    var name = first.dropFirst(tag.count)
    for index in stride(from: 1, to: parts.count - 1, by: 2) {
      attributes[name.trimmingCharacters(in: [" ", "="])] = parts[index]
      name = parts[index + 1][...]
    }
    return (String(tag), attributes)
  }
}
