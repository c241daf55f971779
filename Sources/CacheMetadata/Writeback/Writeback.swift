package import PersistentData

/// Copies dirty blocks from the fast device to the origin, in the order of the origin.
package struct Writeback: Sendable {
  /// How they are copied.
  package var copy: DataCopy
  /// Bytes before the first block.
  package var fastOffset: UInt64 = 0
  package var originOffset: UInt64 = 0

  /// What was copied, and what wasn't.
  package struct Outcome: Sendable {
    package fileprivate(set) var copied: [DirtyBlock] = []
    package fileprivate(set) var failed: [DirtyBlock] = []
    /// Why the first of these failed.
    package fileprivate(set) var cause: IOError?
  }

  package init(from fast: DataDevice, to origin: DataDevice, blockBytes: UInt64) {
    copy = DataCopy(from: fast, to: origin, blockBytes: blockBytes)
  }

  /// Copies `blocks`, which ascend by origin block, and returns once what could be copied is on
  /// stable storage. If it can't be, this throws, and nothing counts as copied.
  package func run(_ blocks: [DirtyBlock]) throws(IOError) -> Outcome {
    let origin = copy.target
    origin.progress.begin("writing dirty blocks to the origin", total: blocks.count)
    var outcome = Outcome()
    var rest = blocks[...]
    var unheard = blocks[...]
    copy.run {
      if rest.isEmpty { return nil }
      defer { rest = rest.dropFirst(copy.blocksInPiece) }
      return rest.prefix(copy.blocksInPiece).map(move)
    } consume: { piece in
      let failed = Set(piece.failed)
      for (index, block) in unheard.prefix(piece.moves.count).enumerated() {
        if failed.contains(index) {
          outcome.failed.append(block)
        } else {
          outcome.copied.append(block)
        }
      }
      unheard = unheard.dropFirst(piece.moves.count)
      outcome.cause = outcome.cause ?? piece.cause
      origin.progress.advance(piece.moves.count)
    }
    if !outcome.copied.isEmpty { try origin.flush() }
    return outcome
  }

  private func move(_ block: DirtyBlock) -> DataMove {
    DataMove(
      from: Writeback.place(of: UInt64(block.cacheBlock), copy.blockBytes, after: fastOffset),
      to: Writeback.place(of: block.originBlock, copy.blockBytes, after: originOffset))
  }

  /// No device is as long as this: to read or to write there fails.
  private static let beyondAnyDevice: UInt64 = 1 << 62

  /// The byte that a block starts at.
  private static func place(
    of block: UInt64, _ blockBytes: UInt64, after offset: UInt64
  ) -> UInt64 {
    let (start, isTooFar) = block.multipliedReportingOverflow(by: blockBytes)
    let (place, isBeyond) = start.addingReportingOverflow(offset)
    return isTooFar || isBeyond ? beyondAnyDevice : min(place, beyondAnyDevice)
  }
}
