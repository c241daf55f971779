import Foundation
import PersistentData
import Synchronization
import TestSupport
import ThinMetadata

/// The bytes of a metadata device, to be looked at and damaged.
///
/// Reads fields by the layouts that the program uses, and nothing else of it: no walk, no check.
struct MetadataImage: Sendable {
  private(set) var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// A kernel-made image: `thin/fresh`. It is unpacked once.
  init(kernel name: String) throws {
    if let known = MetadataImage.unpacked.withLock({ $0[name] }) {
      self = known
      return
    }
    self.init([UInt8](try TestFiles.image(name)))
    let image = self
    MetadataImage.unpacked.withLock { $0[name] = image }
  }

  private static let unpacked = Mutex<[String: MetadataImage]>([:])

  init(file path: String) throws {
    self.init([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
  }

  var blockCount: Int { bytes.count / MetadataBlock.size }

  /// Puts the image into a file and opens it.
  func open(
    _ scratch: Scratch, _ access: BlockFile.Access = .read, _ treatment: Treatment = .judge,
    name: String = UUID().uuidString
  ) throws -> BlockFile {
    try BlockFile(try scratch.file(name, Data(bytes)), access, treatment)
  }

  /// What a full check says of it.
  func check() throws -> CheckReport {
    let scratch = try Scratch()
    return try CheckReport(of: open(scratch), CheckScope())
  }

  func withBlock<Result>(_ block: UInt64, _ body: (RawSpan) -> Result) -> Result {
    let start = Int(block) * MetadataBlock.size
    return body(bytes.span.bytes.extracting(start..<start + MetadataBlock.size))
  }

  /// Changes a block as it stands; its checksum is no longer right.
  mutating func damage(_ block: UInt64, _ body: (inout MutableRawSpan) -> Void) {
    let start = Int(block) * MetadataBlock.size
    bytes.withUnsafeMutableBytes { all in
      let part = UnsafeMutableRawBufferPointer(
        rebasing: all[start..<start + MetadataBlock.size])
      var span = MutableRawSpan(_unsafeBytes: part)
      body(&span)
    }
  }

  /// Changes a block and puts the checksum right.
  mutating func edit(
    _ block: UInt64, as kind: BlockKind, _ body: (inout MutableRawSpan) -> Void
  ) {
    damage(block) { bytes in
      body(&bytes)
      kind.seal(&bytes)
    }
  }

  /// Sets one field of a block and puts the checksum right.
  mutating func set<Value>(
    _ block: UInt64, as kind: BlockKind, _ field: Field<Value>, to value: Value
  ) {
    edit(block, as: kind) { $0[field] = value }
  }

  subscript<Value>(block: UInt64, field: Field<Value>) -> Value {
    withBlock(block) { $0[field] }
  }

  mutating func zero(_ block: UInt64) {
    let start = Int(block) * MetadataBlock.size
    bytes.replaceSubrange(
      start..<start + MetadataBlock.size, with: repeatElement(0, count: MetadataBlock.size))
  }

  /// Puts a copy of block `source` in place of block `target`.
  mutating func copy(_ source: UInt64, to target: UInt64) {
    let from = Int(source) * MetadataBlock.size
    let to = Int(target) * MetadataBlock.size
    bytes.replaceSubrange(
      to..<to + MetadataBlock.size, with: Array(bytes[from..<from + MetadataBlock.size]))
  }

  mutating func truncate(blocks: Int) { bytes.removeLast(bytes.count - blocks * 4096) }

  /// The blocks in which two images of the same size differ.
  func differingBlocks(_ other: MetadataImage) -> Set<UInt64> {
    Set(
      (0..<UInt64(blockCount)).filter { block in
        let range = Int(block) * MetadataBlock.size..<(Int(block) + 1) * MetadataBlock.size
        return bytes[range] != other.bytes[range]
      })
  }
}
