internal import Threads

/// Where a block of data is, and where it goes, in bytes.
package struct DataMove: Hashable, Sendable {
  package let from: UInt64
  package let to: UInt64

  package init(from: UInt64, to: UInt64) {
    self.from = from
    self.to = to
  }
}

/// Copies blocks of data from one device to another, or to another place on the same, in pieces
/// that several threads read and write at once.
///
/// The blocks of a piece are read in source order and written in the order given, adjacent blocks
/// in one go. No place that is written may be read later.
package struct DataCopy: Sendable {
  /// Blocks that were copied together, and the result.
  package struct Piece: Sendable {
    package let moves: [DataMove]
    /// Indices in `moves` of those that were not copied.
    package fileprivate(set) var failed: [Int] = []
    /// Why the first of them wasn't.
    package fileprivate(set) var cause: IOError?
  }

  package let source: DataDevice
  package let target: DataDevice
  /// A multiple of 4 KiB.
  package let blockBytes: UInt64
  /// Memory for data in flight, in bytes; a piece has a quarter of it, at least 4 KiB.
  package var bufferBytes: UInt64 = 64 << 20
  /// How often a block that could not be copied is tried again.
  package var retries: UInt32 = 0

  package init(from source: DataDevice, to target: DataDevice, blockBytes: UInt64) {
    self.source = source
    self.target = target
    self.blockBytes = blockBytes
  }

  private static let piecesUnderWay: UInt64 = 4
  /// Larger pieces are no faster on any device.
  private static let largestPiece: UInt64 = 8 << 20
  private static let unit = UInt64(MetadataBlock.size)

  private var pieceBytes: UInt64 {
    let share = min(bufferBytes / DataCopy.piecesUnderWay, DataCopy.largestPiece)
    return max(DataCopy.unit, share / DataCopy.unit * DataCopy.unit)
  }

  /// The most blocks in a piece.
  package var blocksInPiece: Int { max(1, Int(pieceBytes / max(1, blockBytes))) }

  /// Copies pieces of at most `blocksInPiece` blocks, until `next` has no more. `consume` gets the
  /// result of each, in order.
  package func run(next: () -> [DataMove]?, consume: (Piece) -> Void) {
    let places = Int(pieceBytes / DataCopy.unit)
    OrderedPipeline<BlockBuffer, [DataMove], Piece>(depth: Int(DataCopy.piecesUnderWay)) {
      BlockBuffer(blocks: places)
    } transform: { buffer, moves in
      copy(moves, through: buffer)
    }.run(next: next, consume: consume)
  }

  /// Whether every block of a piece is at its target already.
  package func isDone(_ moves: [DataMove]) -> Bool {
    let buffers = (0..<2).map { _ in BlockBuffer(blocks: Int(pieceBytes / DataCopy.unit)) }
    return moves.allSatisfy { move in
      (try? isDone(move, buffers[0], buffers[1])) ?? false
    }
  }

  private func isDone(
    _ move: DataMove, _ one: BlockBuffer, _ other: BlockBuffer
  ) throws(IOError) -> Bool {
    try forEachPart { offset, places throws(IOError) in
      try one.read(source, from: move.from + offset, count: places)
      try other.read(target, from: move.to + offset, count: places)
      return one.holdsSame(as: other, count: places)
    }
  }

  /// Goes through a block in parts that fit into a buffer, as long as `body` returns true.
  private func forEachPart(
    _ body: (_ offset: UInt64, _ places: Int) throws(IOError) -> Bool
  ) throws(IOError) -> Bool {
    var done: UInt64 = 0
    while done < blockBytes {
      let bytes = min(blockBytes - done, pieceBytes)
      guard try body(done, Int(bytes / DataCopy.unit)) else { return false }
      done += bytes
    }
    return true
  }

  private func copy(_ moves: [DataMove], through buffer: BlockBuffer) -> Piece {
    var piece = Piece(moves: moves)
    if moves.count > 1, (try? copyTogether(moves, through: buffer)) != nil { return piece }
    // One by one, so that a bad block costs only itself.
    for (index, move) in moves.enumerated() {
      if let error = copyAlone(move, through: buffer) {
        piece.failed.append(index)
        piece.cause = piece.cause ?? error
      }
    }
    return piece
  }

  /// Copies all blocks of a piece, which fit into the buffer, in the order given.
  private func copyTogether(_ moves: [DataMove], through buffer: BlockBuffer) throws(IOError) {
    let places = Int(blockBytes / DataCopy.unit)
    let bySource = moves.indices.sorted { moves[$0].from < moves[$1].from }
    for run in bySource.runs(where: {
      $1 == $0 + 1 && moves[$1].from == moves[$0].from + blockBytes
    }) {
      let first = run[run.startIndex]
      try buffer.read(
        source, from: moves[first].from, count: run.count * places, into: first * places)
    }
    for run in Array(moves.indices).runs(where: { moves[$1].to == moves[$0].to + blockBytes }) {
      let first = run[run.startIndex]
      try buffer.write(
        target, to: moves[first].to, count: run.count * places, from: first * places)
    }
  }

  /// Copies one block, in parts if it is larger than the buffer. Returns why it could not be
  /// copied.
  private func copyAlone(_ move: DataMove, through buffer: BlockBuffer) -> IOError? {
    var failure: IOError?
    for _ in 0...retries {
      do throws(IOError) {
        _ = try forEachPart { offset, places throws(IOError) in
          try buffer.read(source, from: move.from + offset, count: places)
          try buffer.write(target, to: move.to + offset, count: places)
          return true
        }
        return nil
      } catch {
        failure = error
      }
    }
    return failure
  }
}

extension Array {
  /// The longest runs in which each element and the next belong together.
  fileprivate func runs(where belong: (Element, Element) -> Bool) -> [ArraySlice<Element>] {
    var runs: [ArraySlice<Element>] = []
    var start = startIndex
    for index in indices.dropFirst() where !belong(self[index - 1], self[index]) {
      runs.append(self[start..<index])
      start = index
    }
    if start < endIndex { runs.append(self[start..<endIndex]) }
    return runs
  }
}
