/// Writes new metadata to a device from its first block on, in large writes.
///
/// The order is what makes an interrupted job harmless: first block 0 is overwritten with a notice
/// that no tool and no kernel takes for a superblock, then everything else is appended, and the
/// superblock comes last, when all the rest is on stable storage.
///
/// When the device turns out too small, writing stops and counting goes on: in the end it can be
/// said how large the device must be. It may also count from the start, and write nothing.
package final class BlockWriter {
  private static let bufferBlocks = 256

  /// Blocks that the output may use.
  package let blockCount: UInt64
  /// References to each block written, as its parents are written.
  package let references: RefCounts
  /// Blocks handed out so far, block 0 included; more than `blockCount` when the device is full.
  package private(set) var neededCount: UInt64 = 1

  /// `nil` where blocks are only counted.
  private let file: BlockFile?
  private let buffer = BlockBuffer(blocks: bufferBlocks)
  /// The block that the first place of the buffer stands for, and how many places are in use.
  private var bufferStart: UInt64 = 1
  private var buffered = 0

  /// Overwrites block 0, so that from here on the device is no metadata until `finish`.
  package init(_ file: BlockFile) throws(IOError) {
    self.file = file
    blockCount = min(file.blockCount, MetadataBlock.maximumCount)
    references = RefCounts(count: MetadataBlock.maximumCount)
    try UnfinishedNotice.write(to: file)
  }

  /// Only counts, as for a device of `blockCount` blocks.
  package init(counting blockCount: UInt64) {
    file = nil
    self.blockCount = min(blockCount, MetadataBlock.maximumCount)
    references = RefCounts(count: MetadataBlock.maximumCount)
  }

  package var isTooSmall: Bool { neededCount > blockCount }

  /// Appends one block: `encode` fills in zeroed bytes, which are then sealed as `kind`.
  package func append(
    _ kind: BlockKind, _ encode: (MetadataBlock, inout MutableRawSpan) -> Void
  ) throws(IOError) -> MetadataBlock {
    // Past the kernel's limit, numbers mean nothing any more: only the count goes on.
    let block = MetadataBlock(UInt32(min(neededCount, MetadataBlock.maximumCount - 1)))
    neededCount += 1
    if isTooSmall || file == nil { return block }
    if buffered == BlockWriter.bufferBlocks { try writeBuffer() }
    buffer.clear(buffered)
    buffer.edit(buffered) { bytes in
      encode(block, &bytes)
      kind.seal(&bytes)
    }
    buffered += 1
    return block
  }

  /// Whether a block appended earlier can be read back; one that was only counted can't.
  package func holds(_ block: MetadataBlock) -> Bool {
    file != nil && UInt64(block.number) < blockCount
  }

  /// Lends the bytes of a block appended earlier; those of a block that was only counted are 0.
  package func withBlock<Result>(
    _ block: MetadataBlock, _ body: (RawSpan) -> Result
  ) throws(IOError) -> Result {
    let place = UInt64(block.number)
    let buffer = buffer
    if place >= bufferStart, place < bufferStart + UInt64(buffered) {
      return body(buffer[Int(place - bufferStart)])
    }
    guard let file, place < bufferStart else {
      let nothing = BlockBuffer(zeroedBlocks: 1)
      return body(nothing[0])
    }
    return try file.withBlock(block, body)
  }

  /// Puts everything on stable storage, then writes block 0 and does the same with it.
  package func finish(
    _ kind: BlockKind, _ encode: (inout MutableRawSpan) -> Void
  ) throws(IOError) {
    precondition(!isTooSmall, "an incomplete output must not look sound")
    guard let file else { return }
    try writeBuffer()
    try file.flush()
    let superblock = BlockBuffer(zeroedBlocks: 1)
    superblock.edit(0) { bytes in
      encode(&bytes)
      kind.seal(&bytes)
    }
    try superblock.write(file, to: 0, count: 1)
    try file.flush()
  }

  private func writeBuffer() throws(IOError) {
    if buffered > 0, let file { try buffer.write(file, to: bufferStart, count: buffered) }
    bufferStart += UInt64(buffered)
    buffered = 0
  }
}
