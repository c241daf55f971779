/// Changes blocks in place, or only finds out what would change.
///
/// A job that edits each block once can be run through two editors, one after the other: the first
/// keeps what the second is going to overwrite.
package protocol BlockEditor {
  /// Reads a block, lets `body` change it and seals it as `kind`.
  mutating func edit<Result>(
    _ block: MetadataBlock, sealedAs kind: BlockKind, _ body: (inout MutableRawSpan) -> Result
  ) throws(IOError) -> Result

  /// Returns once everything edited so far is on stable storage.
  mutating func flush() throws(IOError)
}

extension BlockEditor {
  /// Changes the superblock, once all earlier edits are on stable storage. Bytes outside known
  /// fields are kept.
  package mutating func finish<Superblock: SuperblockFormat>(
    _ change: (inout Superblock) -> Void
  ) throws(IOError) {
    try flush()
    try edit(.superblock, sealedAs: Superblock.kind) { bytes in
      var superblock = Superblock(bytes.bytes)
      change(&superblock)
      superblock.encode(into: &bytes)
    }
    try flush()
  }
}

/// The editor that writes to the device.
package struct DeviceEditor: BlockEditor {
  private let file: BlockFile

  package init(_ file: BlockFile) { self.file = file }

  package mutating func edit<Result>(
    _ block: MetadataBlock, sealedAs kind: BlockKind, _ body: (inout MutableRawSpan) -> Result
  ) throws(IOError) -> Result {
    let buffer = BlockBuffer(blocks: 1)
    let result = try buffer.edit(block, of: file, sealedAs: kind, body)
    try buffer.write(file, to: UInt64(block.number), count: 1)
    return result
  }

  package mutating func flush() throws(IOError) { try file.flush() }
}

extension BlockBuffer {
  /// Reads a block into the start of the buffer, lets `body` change it there and seals it.
  func edit<Result>(
    _ block: MetadataBlock, of file: BlockFile, sealedAs kind: BlockKind,
    _ body: (inout MutableRawSpan) -> Result
  ) throws(IOError) -> Result {
    try read(file, from: UInt64(block.number), count: 1)
    return edit(0) { bytes in
      let result = body(&bytes)
      kind.seal(&bytes)
      return result
    }
  }
}
