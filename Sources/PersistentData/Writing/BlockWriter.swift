/// Writes new metadata to a device from its first block on, in large writes.
///
/// The order makes an interrupted job harmless: first block 0 is overwritten with a notice that no
/// tool and no kernel takes for a superblock, then everything else is appended, and the superblock
/// comes last, once the rest is on stable storage.
///
/// It may also write beside existing metadata, into unused blocks. Then block 0 stays as it is
/// until the new superblock replaces it in one write: until then the old metadata is whole, from
/// then on the new.
///
/// If the device turns out too small, writing stops and counting goes on, so that the required size
/// can be reported. It may also count from the start, and write nothing.
package final class BlockWriter {
  private static let bufferBlocks = 256

  /// Blocks of the output, all counted in its space map.
  package let blockCount: UInt64
  /// How many of them may be written, block 0 included.
  package let capacity: UInt64
  /// The blocks to use beside the old metadata; `nil` if all may be used.
  private let unused: RankedBitset?
  /// References to each block, counted as its parents are written.
  package let references: RefCounts
  /// Blocks handed out so far, block 0 included; more than `capacity` when the device is full.
  package private(set) var neededCount: UInt64 = 1

  /// `nil` if blocks are only counted.
  private let file: BlockFile?
  private let buffer = BlockBuffer(blocks: bufferBlocks)
  /// How many blocks were handed out before the first one in the buffer, and how many are in it.
  private var bufferStart: UInt64 = 1
  private var buffered = 0

  /// Overwrites block 0, so that the device holds no valid metadata until `finish`.
  package init(_ file: BlockFile) throws(IOError) {
    self.file = file
    blockCount = min(file.blockCount, MetadataBlock.maximumCount)
    capacity = blockCount
    unused = nil
    references = RefCounts(count: MetadataBlock.maximumCount)
    try UnfinishedNotice.write(to: file)
  }

  /// Only counts, as for a device of `blockCount` blocks.
  package init(counting blockCount: UInt64) {
    file = nil
    self.blockCount = min(blockCount, MetadataBlock.maximumCount)
    capacity = self.blockCount
    unused = nil
    references = RefCounts(count: MetadataBlock.maximumCount)
  }

  /// Writes only to `unused` blocks, and to block 0 in the end; or only counts.
  ///
  /// `unused`: blocks of `file`, without block 0.
  package init(beside file: BlockFile, in unused: RankedBitset, isCounting: Bool = false) {
    self.file = isCounting ? nil : file
    blockCount = min(file.blockCount, MetadataBlock.maximumCount)
    capacity = 1 + unused.count
    self.unused = unused
    references = RefCounts(count: MetadataBlock.maximumCount)
  }

  package var isTooSmall: Bool { neededCount > capacity }

  /// The block that is handed out after `index` others. Past the capacity, the numbers mean
  /// nothing: only the count goes on.
  private func place(_ index: UInt64) -> UInt64 {
    let beyond = min(max(index, blockCount), MetadataBlock.maximumCount - 1)
    guard index < capacity else { return beyond }
    return unused?.bit(ranked: index - 1) ?? index
  }

  /// How many blocks were handed out before `block`.
  private func index(of block: MetadataBlock) -> UInt64 {
    let number = UInt64(block.number)
    return unused.map { $0.rank(of: number) + 1 } ?? number
  }

  /// The block that will be handed out after `count` more.
  package func upcoming(after count: UInt64) -> UInt64 { place(neededCount + count) }

  /// Appends one block: `encode` fills in zeroed bytes, which are then sealed as `kind`.
  package func append(
    _ kind: BlockKind, _ encode: (MetadataBlock, inout MutableRawSpan) -> Void
  ) throws(IOError) -> MetadataBlock {
    let block = MetadataBlock(UInt32(place(neededCount)))
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
    let index = index(of: block)
    let buffer = buffer
    if index >= bufferStart, index < bufferStart + UInt64(buffered) {
      return body(buffer[Int(index - bufferStart)])
    }
    guard let file, index < bufferStart else {
      let nothing = BlockBuffer(zeroedBlocks: 1)
      return body(nothing[0])
    }
    return try file.withBlock(block, body)
  }

  /// Puts everything on stable storage, then writes block 0 and does the same with it.
  package func finish(
    _ kind: BlockKind, _ encode: (inout MutableRawSpan) -> Void
  ) throws(IOError) {
    _ = try finish(kind, if: nil, encode)
  }

  /// The same, unless `approves` returns `false`: it can read the new metadata as if block 0 were
  /// already written. Returns whether block 0 was written.
  package func finish(
    _ kind: BlockKind, if approves: ((BlockFile) -> Bool)?,
    _ encode: (inout MutableRawSpan) -> Void
  ) throws(IOError) -> Bool {
    precondition(!isTooSmall, "an incomplete output must not look sound")
    guard let file else { return true }
    try writeBuffer()
    try file.flush()
    let superblock = BlockBuffer(zeroedBlocks: 1)
    superblock.edit(0) { bytes in
      encode(&bytes)
      kind.seal(&bytes)
    }
    if let approves {
      file.standIn(for: .superblock, superblock)
      let isGood = approves(file)
      file.removeStandIn(for: .superblock)
      guard isGood else { return false }
    }
    try superblock.write(file, to: 0, count: 1)
    try file.flush()
    return true
  }

  private func writeBuffer() throws(IOError) {
    var done = 0
    while done < buffered, let file {
      let first = place(bufferStart + UInt64(done))
      var end = done + 1
      while end < buffered, place(bufferStart + UInt64(end)) == first + UInt64(end - done) {
        end += 1
      }
      try buffer.write(file, to: first, count: end - done, from: done)
      done = end
    }
    bufferStart += UInt64(buffered)
    buffered = 0
  }
}

extension BlockWriter {
  /// Begins new metadata whose arrays take at least `arrays` blocks; `file` then holds no valid
  /// metadata until all is written. A file that is too small is left as it is.
  package static func begin(
    _ file: BlockFile, forArrays arrays: UInt64
  ) throws(WriteError) -> BlockWriter {
    let available = min(file.blockCount, MetadataBlock.maximumCount)
    let needed = ArraySize.metadataBlocks(forArrays: arrays)
    if needed > available { throw .outputTooSmall(needed: needed, available: available) }
    do throws(IOError) { return try BlockWriter(file) } catch { throw .output(error) }
  }
}
