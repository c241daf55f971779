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
    /// Why the first that failed did.
    package fileprivate(set) var cause: IOError?
  }

  package init(from fast: DataDevice, to origin: DataDevice, blockBytes: UInt64) {
    copy = DataCopy(from: fast, to: origin, blockBytes: blockBytes)
  }

  /// Copies `blocks`, which ascend by origin block, and returns once what could be copied is on
  /// stable storage. Throws where that can't be had: then nothing counts as copied.
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

  // A check has found that such places have numbers; a device ends long before.
  private func move(_ block: DirtyBlock) -> DataMove {
    DataMove(
      from: fastOffset &+ UInt64(block.cacheBlock) &* copy.blockBytes,
      to: originOffset &+ block.originBlock &* copy.blockBytes)
  }
}
