import Foundation
import PersistentData

/// A kernel-made image unpacked into a file of its own, to be damaged: what is changed gets a
/// checksum that fits.
package struct EditableImage {
  package let scratch: Scratch
  package let path: String

  package init(kernel name: String) throws {
    scratch = try Scratch()
    path = try scratch.file("image", TestFiles.image(name))
  }

  package func open(_ access: BlockFile.Access = .read) throws -> BlockFile {
    try BlockFile(path, access)
  }

  package func edit(
    _ block: MetadataBlock, _ kind: BlockKind, _ body: (inout MutableRawSpan) -> Void
  ) throws {
    try open(.write).editBlock(block, sealedAs: kind, body)
  }

  /// Makes a block zeroes.
  package func clear(_ block: MetadataBlock) throws {
    try BlockBuffer(zeroedBlocks: 1).write(open(.write), to: UInt64(block.number), count: 1)
  }

  package var bytes: Data { get throws { try Data(contentsOf: URL(fileURLWithPath: path)) } }
}
