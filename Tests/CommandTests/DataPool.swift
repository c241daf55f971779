import Foundation
import TestSupport
import Testing

/// A small pool made up at random, with data in which each block says which it is, and all that
/// reads it as its volumes would.
struct DataPool {
  static let blockBytes = 64 << 10

  let blockCount: Int
  /// By device: virtual block to data block and time.
  private(set) var devices: [UInt64: [UInt64: (data: UInt64, time: UInt64)]] = [:]

  /// `usedShare`: of ten blocks.
  init(_ random: inout SeededRandom, blockCount: Int, usedShare: Int) {
    self.blockCount = blockCount
    var free = (0..<UInt64(blockCount)).filter { _ in random.number(0..<10) < usedShare }
    if random.once(in: 2) { free.shuffle(using: &random) }
    for id in 0..<UInt64(random.number(2...4)) {
      var mappings: [UInt64: (data: UInt64, time: UInt64)] = [:]
      // A snapshot of the device before, with some blocks of its own.
      if id > 0, random.once(in: 2) {
        for (key, value) in devices[id - 1, default: [:]].sorted(by: { $0.key < $1.key })
        where random.number(0..<10) < 8 {
          mappings[key] = value
        }
      }
      var key = UInt64(random.number(0..<5))
      for _ in 0..<min(free.count, random.number(0...blockCount / 3)) {
        mappings[key] = (free.removeLast(), id)
        key += random.once(in: 6) ? UInt64(random.number(2..<9)) : 1
      }
      devices[id] = mappings
    }
  }

  var used: Set<UInt64> { Set(devices.values.flatMap { $0.values.map(\.data) }) }

  var xml: Data {
    var text =
      "<superblock uuid=\"\" time=\"9\" transaction=\"7\" version=\"2\" data_block_size=\"128\" "
      + "nr_data_blocks=\"\(blockCount)\">\n"
    for (id, mappings) in devices.sorted(by: { $0.key < $1.key }) {
      text +=
        "<device dev_id=\"\(id)\" mapped_blocks=\"\(mappings.count)\" transaction=\"\(id)\" "
        + "creation_time=\"\(id)\" snap_time=\"9\">\n"
      for (virtual, mapping) in mappings.sorted(by: { $0.key < $1.key }) {
        text +=
          "<single_mapping origin_block=\"\(virtual)\" data_block=\"\(mapping.data)\" "
          + "time=\"\(mapping.time)\"/>\n"
      }
      text += "</device>\n"
    }
    return Data((text + "</superblock>\n").utf8)
  }

  /// What a data block holds.
  static func content(_ block: UInt64) -> Data {
    var content = Data("block \(block) begins".utf8)
    content.append(Data(repeating: UInt8(block % 251), count: blockBytes - 2 * content.count))
    return content + Data("block \(block) begins".utf8)
  }

  var data: Data {
    (0..<UInt64(blockCount)).reduce(into: Data()) { $0.append(DataPool.content($1)) }
  }

  /// Writes its metadata to a file.
  func metadata(_ scratch: Scratch, blocks: Int = 1024) throws -> String {
    let path = try scratch.blank("metadata", bytes: blocks * 4096)
    let result = try Program.restore("-i", scratch.file("pool.xml", xml), "-o", path)
    try #require(result.status == 0, "\(result.errorText)")
    return path
  }

  /// Whether a dump has the same devices with the same times, and all of them read the same from
  /// `data`; what is wrong, if anything is.
  func fault(_ dump: Data, on data: Data) -> String? {
    let pool = PoolText(dump)
    guard pool.devices.keys.sorted() == devices.keys.sorted() else {
      return "devices \(pool.devices.keys.sorted())"
    }
    for (id, device) in pool.devices {
      let mappings = devices[id, default: [:]]
      guard device.mappings.count == mappings.count else {
        return "device \(id) has \(device.mappings.count) mappings, not \(mappings.count)"
      }
      for mapping in device.mappings {
        guard let wanted = mappings[mapping.virtual], wanted.time == mapping.time else {
          return "device \(id) has another mapping of block \(mapping.virtual)"
        }
        let start = Int(mapping.data) * DataPool.blockBytes
        guard start + DataPool.blockBytes <= data.count,
          data[start..<start + DataPool.blockBytes] == DataPool.content(wanted.data)
        else { return "device \(id) reads other data at block \(mapping.virtual)" }
      }
    }
    return nil
  }
}
