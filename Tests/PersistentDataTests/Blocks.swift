import Foundation
import PersistentData
import TestSupport

/// A file whose every block holds its own number and a kind's checksum.
struct NumberedFile {
  static let number = Field<UInt64>(at: 8)

  let scratch: Scratch
  let file: BlockFile

  init(blocks: Int, _ access: BlockFile.Access = .read) throws {
    scratch = try Scratch()
    let path = try scratch.blank("blocks", bytes: blocks * MetadataBlock.size)
    let writer = try BlockFile(path, .write)
    let buffer = BlockBuffer(blocks: blocks)
    for block in 0..<blocks {
      buffer.edit(block) { bytes in
        bytes[NumberedFile.number] = UInt64(block)
        BlockKind.bitmap.seal(&bytes)
      }
    }
    try buffer.write(writer, to: 0, count: blocks)
    file = try BlockFile(path, access)
  }

  /// Cuts the file behind its reader's back.
  func cut(bytes: Int) throws {
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file.path))
    try handle.truncate(atOffset: UInt64(bytes))
    try handle.close()
  }
}

/// Notes what a scan gives it.
struct NotingVisitor: BlockVisitor {
  var visited: [(index: Int, number: UInt64, kind: BlockKind?)] = []
  var unreadable: [(index: Int, error: IOError)] = []

  mutating func visit(_ index: Int, _ bytes: RawSpan) {
    visited.append((index, bytes[NumberedFile.number], BlockKind(of: bytes)))
  }

  mutating func unreadable(_ index: Int, _ error: IOError) { unreadable.append((index, error)) }
}
