import Foundation
import Synchronization
import TestSupport
import Testing

/// Metadata to work on: the kernel's, and the same broken on purpose.
enum Images {
  /// All thin fixtures: `snapshots`.
  static let names = TestFiles.fixtureNames("kernel/thin")

  private static let unpacked = Mutex<[String: String]>([:])
  private static let folder: URL = {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("dmmeta-images-\(ProcessInfo.processInfo.processIdentifier)")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(at: Images.folder) }
    return folder
  }()

  /// The path of a thin fixture, unpacked once a run; only to be read.
  static func path(_ name: String) throws -> String {
    try unpacked.withLock { unpacked in
      if let path = unpacked[name] { return path }
      let path = folder.appendingPathComponent(name).path
      try TestFiles.image("thin/\(name)").write(to: URL(fileURLWithPath: path))
      unpacked[name] = path
      return path
    }
  }

  static func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  /// Room for the same pool: as large as the image, or larger where that is full.
  static func outputSize(_ name: String) throws -> Int {
    try bytes(path(name)).count * (name.hasPrefix("metadata-full") ? 2 : 1)
  }
}

extension Scratch {
  /// A copy of a fixture that may be changed.
  func copy(_ name: String) throws -> String { try file(name, Images.bytes(Images.path(name))) }

  /// A fixture broken in a way that `Tests/Kernel/break-image.py` knows.
  func broken(_ name: String, _ how: String) throws -> String {
    let path = folder.appendingPathComponent("\(name)-\(how)").path
    let script = TestFiles.root.appendingPathComponent("Tests/Kernel/break-image.py").path
    let result = try Shell.run(
      "/usr/bin/env",
      ["PYTHONDONTWRITEBYTECODE=1", "python3", script, try Images.path(name), path, how])
    try #require(result.status == 0, "\(result.errorText)")
    return path
  }

  /// A fixture whose first mapping leaf is nothing but zeroes.
  func withoutFirstLeaf(_ name: String) throws -> String {
    let path = try broken(name, "leaf-bit")
    var bytes = try Images.bytes(path)
    // The script changes the leaf and nothing else.
    let first = try #require(
      zip(bytes, try Images.bytes(Images.path(name))).enumerated()
        .first { $0.element.0 != $0.element.1 }?.offset)
    let start = first / 4096 * 4096
    bytes.replaceSubrange(start..<start + 4096, with: Data(count: 4096))
    return try file("\(name)-without-first-leaf", bytes)
  }
}

/// Blocks of 4 KiB that differ between two images of one size.
func differingBlocks(_ one: Data, _ other: Data) -> [Int] {
  stride(from: 0, to: one.count, by: 4096).filter {
    one[$0..<min($0 + 4096, one.count)] != other[$0..<min($0 + 4096, other.count)]
  }.map { $0 / 4096 }
}

/// Overwrites one block of an image with zeroes.
func zero(block: Int, of image: String) throws {
  var bytes = try Images.bytes(image)
  bytes.replaceSubrange(block * 4096..<(block + 1) * 4096, with: Data(count: 4096))
  try bytes.write(to: URL(fileURLWithPath: image))
}

/// Where things stand in an image, found without the program under test.
enum Metadata {
  /// The blocks in which the mapping tree and the details tree begin.
  static func roots(of image: String) throws -> (mapping: Int, details: Int) {
    let blocks = try numbers(
      "print(image.u64(metadata.MAPPING_TREE), image.u64(metadata.DETAILS_TREE))", image)
    try #require(blocks.count == 2)
    return (blocks[0], blocks[1])
  }

  /// The blocks in which the devices' mapping trees begin, by device id.
  static func deviceRoots(of image: String) throws -> [Int] {
    try numbers(
      """
      def walk(node):
          for index in range(image.entries(node)):
              child = image.child(node, index)
              if image.is_internal(node): walk(child)
              else: print(child)
      walk(image.u64(metadata.MAPPING_TREE))
      """, image)
  }

  /// The mappings below a root that may be no longer in use.
  static func mappings(below root: Int, of image: String) throws -> [PoolText.Mapping] {
    let found = try numbers(
      """
      def walk(node):
          for index in range(image.entries(node)):
              child = image.child(node, index)
              if image.is_internal(node): walk(child)
              else: print(image.u64(image.key_offset(node, index)), child >> 24, child & 0xFFFFFF)
      walk(\(root))
      """, image
    ).map(UInt64.init)
    return stride(from: 0, to: found.count, by: 3).map {
      PoolText.Mapping(virtual: found[$0], data: found[$0 + 1], time: found[$0 + 2])
    }
  }

  /// Takes the last entry off a leaf in place, with a checksum that fits.
  static func dropLastEntry(of leaf: Int, in image: String) throws {
    _ = try numbers(
      """
      image.bytes[\(leaf) * 4096 + 16] -= 1
      image.seal(\(leaf), "node")
      open(sys.argv[1], "wb").write(image.bytes)
      """, image)
  }

  /// The numbers that some Python prints about `image`.
  private static func numbers(_ code: String, _ image: String) throws -> [Int] {
    let folder = TestFiles.root.appendingPathComponent("Tests/Kernel").path
    let result = try Shell.run(
      "/usr/bin/env",
      [
        "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH=\(folder)", "python3", "-c",
        "import sys, metadata\nimage = metadata.Image(sys.argv[1])\n" + code, image,
      ])
    try #require(result.status == 0, "\(result.errorText)")
    return result.text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
  }
}

/// The number in a line `NAME=number` of what thin_check printed.
func number(_ name: String, in text: String) -> Int? {
  text.split(separator: "\n").first { $0.hasPrefix(name + "=") }
    .flatMap { Int($0.dropFirst(name.count + 1)) }
}

extension Shell.Result {
  /// Lines of thin_check that tell of something wrong.
  var complaints: [Substring] {
    errorText.split(separator: "\n").filter { line in
      ["error: ", "leak: ", "warning: "].contains { line.hasPrefix($0) }
    }
  }
}
