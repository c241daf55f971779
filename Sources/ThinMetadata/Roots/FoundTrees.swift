/// All trees of one kind that the nodes on a device form, in use or not, put together from the
/// leaves up.
///
/// A child belongs to its parent where it is sound, as many levels above the leaves as its
/// siblings, and has its keys within those that the parent gives it. Each node is looked at once,
/// however many trees share it. As a tree's branches share no key, no node is in a tree twice, and
/// nothing here goes on for ever or grows beyond the device.
struct FoundTrees<Sum: TreeSum>: Sendable {
  /// A node and what is below it.
  struct Tree: Sendable {
    /// Levels above the leaves.
    let height: Int
    /// The first and the last key below; `nil` without any.
    let keys: ClosedRange<UInt64>?
    var nodeCount = 1
    var missing = MissingNodes()
    var sum: Sum
  }

  /// Trees of the kernel have a few levels; three hold 16 million entries.
  private static var highest: Int { 15 }

  private(set) var trees: [UInt32: Tree] = [:]
  /// Nodes that another one has as its child.
  private(set) var children: Set<UInt32> = []

  /// `leaves`: by block.
  init(_ census: BlockCensus, leaves: [UInt32: Sum]) {
    for (block, sum) in leaves {
      trees[block] = Tree(height: 0, keys: census.nodes[block]?.keys, sum: sum)
    }
    var open = census.nodes.all.filter { !$0.isLeaf }.map(\.block)
    for height in 1...FoundTrees.highest {
      let candidates = Set(open)
      var found: [UInt32: Tree] = [:]
      for block in open {
        found[block] = tree(census, block, height, open: candidates)
      }
      if found.isEmpty { break }
      trees.merge(found) { first, _ in first }
      open.removeAll { found[$0] != nil }
    }
    for (block, tree) in trees where tree.height > 0 {
      children.formUnion(fittingChildren(census, block).map(\.child))
    }
  }

  /// The tree below an internal node; `nil` when no child fits at this height, or more children may
  /// fit at a greater one.
  private func tree(
    _ census: BlockCensus, _ block: UInt32, _ height: Int, open: Set<UInt32>
  ) -> Tree? {
    guard let pointers = census.pointers[block], let first = pointers.first?.key,
      let last = pointers.last?.key
    else { return nil }
    var tree = Tree(height: height, keys: nil, sum: Sum())
    var (low, high) = (last, first)
    var fitting = 0
    var higher = 0
    for (index, pointer) in pointers.enumerated() {
      guard let child = child(pointers, index, height - 1) else {
        if open.contains(pointer.child) { higher += 1 }
        tree.missing.add(pointer.child, census)
        continue
      }
      fitting += 1
      tree.nodeCount += child.nodeCount
      tree.missing.add(child.missing)
      tree.sum.add(child.sum)
      if let keys = child.keys {
        low = min(low, keys.lowerBound)
        high = max(high, keys.upperBound)
      }
    }
    guard fitting > 0, fitting >= higher, low <= high else { return nil }
    return Tree(
      height: height, keys: low...high, nodeCount: tree.nodeCount, missing: tree.missing,
      sum: tree.sum)
  }

  /// The child at `index`, where it is what its parent means.
  private func child(
    _ pointers: [BlockCensus.Pointer], _ index: Int, _ height: Int
  ) -> Tree? {
    guard let tree = trees[pointers[index].child], tree.height == height, let keys = tree.keys,
      keys.lowerBound >= pointers[index].key,
      index + 1 == pointers.count || keys.upperBound < pointers[index + 1].key
    else { return nil }
    return tree
  }

  private func fittingChildren(_ census: BlockCensus, _ block: UInt32) -> [BlockCensus.Pointer] {
    guard let tree = trees[block], tree.height > 0, let pointers = census.pointers[block]
    else { return [] }
    return pointers.indices.filter { child(pointers, $0, tree.height - 1) != nil }
      .map { pointers[$0] }
  }

  /// The leaves below `root`, in key order.
  func leaves(_ census: BlockCensus, below root: UInt32) -> [UInt32] {
    guard let tree = trees[root] else { return [] }
    if tree.height == 0 { return [root] }
    return fittingChildren(census, root).flatMap { leaves(census, below: $0.child) }
  }

  /// What lies at the bottom of a tree.
  enum Bottom: Sendable {
    case leaf(UInt32)
    /// Keys whose node is not there any more.
    case missing(ClosedRange<UInt64>)
  }

  /// The leaves below `root`, in key order, and what is missing between them.
  func bottoms(
    _ census: BlockCensus, below root: UInt32, keys: ClosedRange<UInt64> = 0...UInt64.max
  ) -> [Bottom] {
    guard let tree = trees[root] else { return [.missing(keys)] }
    guard tree.height > 0, let pointers = census.pointers[root] else { return [.leaf(root)] }
    return pointers.indices.flatMap { index -> [Bottom] in
      let first = max(keys.lowerBound, pointers[index].key)
      let next = index + 1 < pointers.count ? pointers[index + 1].key - 1 : UInt64.max
      let part = first...max(first, min(keys.upperBound, next))
      if child(pointers, index, tree.height - 1) == nil { return [.missing(part)] }
      return bottoms(census, below: pointers[index].child, keys: part)
    }
  }

  /// The leaf below `root` in which `key` would stand.
  func leaf(_ census: BlockCensus, below root: UInt32, for key: UInt64) -> UInt32? {
    guard let tree = trees[root] else { return nil }
    if tree.height == 0 { return root }
    guard let next = fittingChildren(census, root).last(where: { $0.key <= key })
    else { return nil }
    return leaf(census, below: next.child, for: key)
  }
}

/// What is summed up over the leaves of a tree.
protocol TreeSum: Sendable {
  init()
  mutating func add(_ other: Self)
}

/// Nodes that a tree refers to and that are not there.
package struct MissingNodes: Hashable, Sendable {
  /// The block holds something else, which is sound: it was given out again.
  package private(set) var reused = 0
  /// The block holds nothing that is sound.
  package private(set) var damaged = 0

  package var count: Int { reused + damaged }

  mutating func add(_ other: MissingNodes) {
    reused += other.reused
    damaged += other.damaged
  }

  mutating func add(_ block: UInt32, _ census: BlockCensus) {
    if census.isReused(block) { reused += 1 } else { damaged += 1 }
  }
}
