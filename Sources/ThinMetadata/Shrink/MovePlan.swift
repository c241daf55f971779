package import PersistentData

/// Which blocks of a pool move, and how many data blocks it has then.
package struct MovePlan: Sendable {
  package enum Refusal: Error {
    /// A pool is not made larger this way.
    case larger(than: UInt64)
    /// There are more blocks in use than the pool is to have.
    case noRoom(used: UInt64)
  }

  /// Data blocks of the pool before and after.
  package let oldCount: UInt64
  package let newCount: UInt64
  /// Data blocks in use.
  package let usedCount: UInt64
  package let moves: BlockMoves

  /// What is in use beyond a new end moves to free blocks before it, every block once and in order.
  ///
  /// `used`: data blocks that anything maps. `unused`: blocks that may be overwritten.
  package init(
    shrinkingTo newCount: UInt64, used: Bitset, unused: Bitset
  ) throws(Refusal) {
    oldCount = used.bitCount
    self.newCount = newCount
    usedCount = UInt64(used.count)
    guard newCount <= oldCount else { throw .larger(than: oldCount) }
    let moved = used.restricted(to: newCount..<oldCount)
    let targets = unused.restricted(to: 0..<newCount)
    guard moved.count <= targets.count else { throw .noRoom(used: usedCount) }
    moves = BlockMoves(moved, toFirstOf: targets)
  }

  /// The pool keeps its size.
  init(_ moves: BlockMoves, used: Bitset) {
    oldCount = used.bitCount
    newCount = used.bitCount
    usedCount = UInt64(used.count)
    self.moves = moves
  }
}
