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

extension EditableImage {
  /// Gives block 0 of an image a checksum that fits.
  package static func sealSuperblock(of path: String, as kind: BlockKind) throws {
    try BlockFile(path, .write).editBlock(.superblock, sealedAs: kind) { _ in }
  }

  /// Makes a block of an image zeroes.
  package static func clear(block: UInt64, of path: String) throws {
    try BlockBuffer(zeroedBlocks: 1).write(BlockFile(path, .write), to: block, count: 1)
  }

  /// Where the tree of writesets and the era array start.
  package static func eraRoots(of path: String) throws -> (writesets: UInt64, eraArray: UInt64) {
    try BlockFile(path, .read).withBlock(.superblock) { bytes in
      (bytes[Field<UInt64>(at: 200)], bytes[Field<UInt64>(at: 208)])
    }
  }
}
