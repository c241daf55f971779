package import PersistentData

/// Copies the data of blocks that move to where they go, all on one device. It writes only to free
/// blocks, so the pool reads the same as before even if this is interrupted.
package struct DataMover: Sendable {
  private static let maxFailures = 1000

  package struct Outcome: Sendable {
    /// Blocks at the start that needed no copying: their data was there already, from an earlier
    /// run that was interrupted.
    package fileprivate(set) var foundCount: UInt64 = 0
    package fileprivate(set) var copiedCount: UInt64 = 0
    package fileprivate(set) var failedCount: UInt64 = 0
    /// The first blocks that could not be copied.
    package fileprivate(set) var failed: [UInt64] = []
    /// Why the first of them wasn't.
    package fileprivate(set) var cause: IOError?
  }

  private let copy: DataCopy
  private let moves: BlockMoves

  package init(_ moves: BlockMoves, on device: DataDevice, blockBytes: UInt64) {
    self.moves = moves
    copy = DataCopy(from: device, to: device, blockBytes: blockBytes)
  }

  /// Copies every block, and returns once all that was copied is on stable storage.
  package func run() throws(IOError) -> Outcome {
    var outcome = Outcome()
    let device = copy.target
    device.progress.begin("copying data", total: Int(moves.count))
    // What is found there may be in memory only, so it is flushed like the rest.
    while outcome.foundCount < moves.count {
      let piece = piece(from: outcome.foundCount)
      guard copy.isDone(piece) else { break }
      outcome.foundCount += UInt64(piece.count)
      device.progress.advance(piece.count)
    }
    var next = outcome.foundCount
    copy.run {
      guard next < moves.count else { return nil }
      let piece = piece(from: next)
      next += UInt64(piece.count)
      return piece
    } consume: { piece in
      let failed = piece.failed.map { piece.moves[$0].from / copy.blockBytes }
      outcome.copiedCount += UInt64(piece.moves.count - failed.count)
      outcome.failedCount += UInt64(failed.count)
      outcome.failed += failed.prefix(DataMover.maxFailures - outcome.failed.count)
      outcome.cause = outcome.cause ?? piece.cause
      device.progress.advance(piece.moves.count)
    }
    if moves.count > 0 { try device.flush() }
    return outcome
  }

  private func piece(from first: UInt64) -> [DataMove] {
    moves.moves(from: first, upTo: copy.blocksInPiece).map {
      DataMove(from: $0.from * copy.blockBytes, to: $0.to * copy.blockBytes)
    }
  }
}
