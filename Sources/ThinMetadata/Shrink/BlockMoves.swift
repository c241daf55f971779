internal import PersistentData

/// Which data blocks of a pool move, and where each goes: a free block that no other takes.
package struct BlockMoves: Sendable {
  private enum Targets: Sendable {
    /// The first that moves goes to the first of these, and so on.
    case inOrder(RankedBitset)
    case listed([UInt64])
  }

  private let moved: RankedBitset
  private let targets: Targets

  /// The blocks of `moved`, in order, go to the first of `targets`, in order.
  init(_ moved: Bitset, toFirstOf targets: Bitset) {
    self.moved = RankedBitset(moved)
    self.targets = .inOrder(RankedBitset(targets))
  }

  /// `targets`: one for each block of `moved`, in its order.
  init(_ moved: Bitset, to targets: [UInt64]) {
    self.moved = RankedBitset(moved)
    self.targets = .listed(targets)
    precondition(UInt64(targets.count) == self.moved.count)
  }

  package var count: UInt64 { moved.count }

  /// Where `block` is afterwards.
  func place(of block: UInt64) -> UInt64 {
    moved.contains(block) ? target(moved.rank(of: block)) : block
  }

  private func target(_ rank: UInt64) -> UInt64 {
    switch targets {
    case .inOrder(let blocks): blocks.bit(ranked: rank)
    case .listed(let blocks): blocks[Int(rank)]
    }
  }

  /// Up to `count` moves from place `first` on, ascending by the block that moves.
  func moves(from first: UInt64, upTo count: Int) -> [(from: UInt64, to: UInt64)] {
    (first..<min(self.count, first + UInt64(count))).map { (moved.bit(ranked: $0), target($0)) }
  }

  /// The blocks that move and those that they go to, as the lowest and the highest of each; `nil`
  /// when none moves.
  package var reach: (from: ClosedRange<UInt64>, to: ClosedRange<UInt64>)? {
    guard count > 0 else { return nil }
    let from = moved.bit(ranked: 0)...moved.bit(ranked: count - 1)
    switch targets {
    case .inOrder: return (from, target(0)...target(count - 1))
    case .listed(let blocks): return (from, (blocks.min() ?? 0)...(blocks.max() ?? 0))
    }
  }

  /// In how many pieces blocks move: neighbours that stay neighbours are one.
  package var pieceCount: UInt64 {
    var pieces: UInt64 = 0
    var next: (from: UInt64, to: UInt64)?
    for rank in 0..<count {
      let (from, to) = (moved.bit(ranked: rank), target(rank))
      if next?.from != from || next?.to != to { pieces += 1 }
      next = (from + 1, to + 1)
    }
    return pieces
  }
}
