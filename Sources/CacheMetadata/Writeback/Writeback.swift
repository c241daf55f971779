package import PersistentData
internal import Threads

/// Copies dirty blocks from the fast device to the origin, in the order of the origin, in pieces
/// that several threads read and write at once.
package struct Writeback: Sendable {
  package let fast: DataDevice
  package let origin: DataDevice
  /// Bytes before the first block.
  package var fastOffset: UInt64 = 0
  package var originOffset: UInt64 = 0
  package let blockBytes: UInt64
  /// Memory for data under way, in bytes; a piece has a quarter of it, 4 KiB at least.
  package var bufferBytes: UInt64 = 64 << 20
  /// How often a block that could not be copied is tried again.
  package var retries: UInt32 = 0

  /// What was copied, and what wasn't.
  package struct Outcome: Sendable {
    package fileprivate(set) var copied: [DirtyBlock] = []
    package fileprivate(set) var failed: [DirtyBlock] = []
    /// Why the first that failed did.
    package fileprivate(set) var cause: IOError?
  }

  package init(from fast: DataDevice, to origin: DataDevice, blockBytes: UInt64) {
    self.fast = fast
    self.origin = origin
    self.blockBytes = blockBytes
  }

  private static let piecesUnderWay: UInt64 = 4
  /// No device gains by larger ones.
  private static let largestPiece: UInt64 = 8 << 20

  private var pieceBytes: UInt64 {
    let unit = UInt64(MetadataBlock.size)
    let share = min(bufferBytes / Writeback.piecesUnderWay, Writeback.largestPiece)
    return max(unit, share / unit * unit)
  }

  /// Copies `blocks`, which ascend by origin block, and returns once what could be copied is on
  /// stable storage. Throws where that can't be had: then nothing counts as copied.
  package func run(_ blocks: [DirtyBlock]) throws(IOError) -> Outcome {
    let perBatch = max(1, Int(pieceBytes / max(1, blockBytes)))
    let pieceBytes = Int(pieceBytes)
    origin.progress.begin("writing dirty blocks to the origin", total: blocks.count)
    var next = 0
    var outcome = Outcome()
    let pipeline = OrderedPipeline<BlockBuffer, ArraySlice<DirtyBlock>, Outcome>(
      depth: Int(Writeback.piecesUnderWay)
    ) {
      BlockBuffer(blocks: pieceBytes / MetadataBlock.size)
    } transform: { buffer, batch in
      copy(batch, through: buffer)
    }
    pipeline.run {
      guard next < blocks.count else { return nil }
      let batch = blocks[next..<min(blocks.count, next + perBatch)]
      next = batch.endIndex
      return batch
    } consume: { part in
      outcome.copied += part.copied
      outcome.failed += part.failed
      outcome.cause = outcome.cause ?? part.cause
      origin.progress.advance(part.copied.count + part.failed.count)
    }
    if !outcome.copied.isEmpty { try origin.flush() }
    return outcome
  }

  private func copy(
    _ batch: ArraySlice<DirtyBlock>, through buffer: BlockBuffer
  ) -> Outcome {
    var outcome = Outcome()
    if batch.count > 1, (try? copyTogether(batch, through: buffer)) != nil {
      outcome.copied = Array(batch)
      return outcome
    }
    // One by one, so that a bad block costs itself alone.
    for block in batch { copyAlone(block, through: buffer, &outcome) }
    return outcome
  }

  /// All blocks of a batch fit into the buffer. Neighbours on a device are read, and written, at
  /// once.
  private func copyTogether(
    _ batch: ArraySlice<DirtyBlock>, through buffer: BlockBuffer
  ) throws(IOError) {
    let places = Int(blockBytes) / MetadataBlock.size
    var start = 0
    for run in batch.runs(where: { $1.cacheBlock == $0.cacheBlock + 1 }) {
      try buffer.read(
        fast, from: fastPlace(run[run.startIndex]), count: run.count * places, into: start)
      start += run.count * places
    }
    start = 0
    for run in batch.runs(where: { $1.originBlock == $0.originBlock + 1 }) {
      try buffer.write(
        origin, to: originPlace(run[run.startIndex]), count: run.count * places, from: start)
      start += run.count * places
    }
  }

  /// Copies a block by itself, in pieces where it is larger than the buffer.
  private func copyAlone(
    _ block: DirtyBlock, through buffer: BlockBuffer, _ outcome: inout Outcome
  ) {
    for attempt in 0...retries {
      do throws(IOError) {
        let unit = UInt64(MetadataBlock.size)
        var done: UInt64 = 0
        while done < blockBytes {
          let places = Int(min((blockBytes - done) / unit, UInt64(buffer.blockCapacity)))
          try buffer.read(fast, from: fastPlace(block) + done, count: places)
          try buffer.write(origin, to: originPlace(block) + done, count: places)
          done += UInt64(places) * unit
        }
        outcome.copied.append(block)
        return
      } catch {
        guard attempt == retries else { continue }
        outcome.failed.append(block)
        outcome.cause = outcome.cause ?? error
      }
    }
  }

  // A check has found that such places have numbers; a device ends long before.
  private func fastPlace(_ block: DirtyBlock) -> UInt64 {
    fastOffset &+ UInt64(block.cacheBlock) &* blockBytes
  }

  private func originPlace(_ block: DirtyBlock) -> UInt64 {
    originOffset &+ block.originBlock &* blockBytes
  }
}

extension ArraySlice<DirtyBlock> {
  /// The longest runs in which each block and the next belong together.
  fileprivate func runs(where belong: (DirtyBlock, DirtyBlock) -> Bool) -> [ArraySlice] {
    var runs: [ArraySlice] = []
    var start = startIndex
    for index in indices.dropFirst() where !belong(self[index - 1], self[index]) {
      runs.append(self[start..<index])
      start = index
    }
    if start < endIndex { runs.append(self[start..<endIndex]) }
    return runs
  }
}
