internal import PersistentData

/// All trees of one kind that the nodes on a device form, in use or not, put together from the
/// leaves up.
///
/// A child belongs to its parent if it is sound, as many levels above the leaves as its siblings,
/// and has its keys within those that the parent gives it. Each node is looked at once, however
/// many trees share it. As a tree's branches share no key, no node is in a tree twice, so this ends
/// and uses no more memory than the device has nodes.
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

  private(set) var trees: [MetadataBlock: Tree] = [:]
  /// Nodes that are a child of another one.
  private(set) var children: Set<MetadataBlock> = []

  /// `leaves`: by block.
  init(_ census: BlockCensus, leaves: [MetadataBlock: Sum]) {
    for (block, sum) in leaves {
      trees[block] = Tree(height: 0, keys: census.nodes[block]?.keys, sum: sum)
    }
    var open = census.nodes.all.filter { !$0.isLeaf }.map(\.block)
    for height in 1...PersistentData.Tree.levelLimit {
      let candidates = Set(open)
      var found: [MetadataBlock: Tree] = [:]
      for block in open {
        found[block] = tree(census, block, height, open: candidates)
      }
      if found.isEmpty { break }
      trees.merge(found) { first, _ in first }
      open.removeAll { found[$0] != nil }
    }
    for (block, tree) in trees where tree.height > 0 {
      children.formUnion(fittingChildren(census, block).compactMap(\.child))
    }
  }

  /// The tree below an internal node; `nil` when no child fits at this height, or more children may
  /// fit at a greater one.
  private func tree(
    _ census: BlockCensus, _ block: MetadataBlock, _ height: Int, open: Set<MetadataBlock>
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
        if let child = pointer.child, open.contains(child) { higher += 1 }
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

  /// The child at `index`, if it fits its parent.
  private func child(
    _ pointers: [BlockCensus.Pointer], _ index: Int, _ height: Int
  ) -> Tree? {
    guard let tree = tree(pointers[index]), tree.height == height, let keys = tree.keys,
      keys.lowerBound >= pointers[index].key,
      index + 1 == pointers.count || keys.upperBound < pointers[index + 1].key
    else { return nil }
    return tree
  }

  /// The tree that a pointer leads to.
  func tree(_ pointer: BlockCensus.Pointer) -> Tree? { pointer.child.flatMap { trees[$0] } }

  private func fittingChildren(
    _ census: BlockCensus, _ block: MetadataBlock
  ) -> [BlockCensus.Pointer] {
    guard let tree = trees[block], tree.height > 0, let pointers = census.pointers[block]
    else { return [] }
    return pointers.indices.filter { child(pointers, $0, tree.height - 1) != nil }
      .map { pointers[$0] }
  }

  /// The leaves below `root`, in key order.
  func leaves(_ census: BlockCensus, below root: MetadataBlock) -> [MetadataBlock] {
    guard let tree = trees[root] else { return [] }
    if tree.height == 0 { return [root] }
    return fittingChildren(census, root).compactMap(\.child).flatMap {
      leaves(census, below: $0)
    }
  }

  /// What lies at the bottom of a tree.
  enum Bottom: Sendable {
    case leaf(MetadataBlock)
    /// Keys whose node is not there any more.
    case missing(ClosedRange<UInt64>)
  }

  /// The leaves below `root`, in key order, and what is missing between them.
  func bottoms(
    _ census: BlockCensus, below root: MetadataBlock, keys: ClosedRange<UInt64> = 0...UInt64.max
  ) -> [Bottom] {
    guard let tree = trees[root] else { return [.missing(keys)] }
    guard tree.height > 0, let pointers = census.pointers[root] else { return [.leaf(root)] }
    return pointers.indices.flatMap { index -> [Bottom] in
      let first = max(keys.lowerBound, pointers[index].key)
      let next = index + 1 < pointers.count ? pointers[index + 1].key - 1 : UInt64.max
      let part = first...max(first, min(keys.upperBound, next))
      guard let block = pointers[index].child, child(pointers, index, tree.height - 1) != nil
      else { return [.missing(part)] }
      return bottoms(census, below: block, keys: part)
    }
  }

  /// The leaf below `root` in which `key` would stand.
  func leaf(_ census: BlockCensus, below root: MetadataBlock, for key: UInt64) -> MetadataBlock? {
    guard let tree = trees[root] else { return nil }
    if tree.height == 0 { return root }
    guard let next = fittingChildren(census, root).last(where: { $0.key <= key })?.child
    else { return nil }
    return leaf(census, below: next, for: key)
  }
}

/// What is summed up over the leaves of a tree.
protocol TreeSum: Sendable {
  init()
  mutating func add(_ other: Self)
}

/// Nodes that a tree refers to and that are not there.
package struct MissingNodes: Hashable, Sendable {
  /// The block holds other, sound metadata: it was allocated again.
  package private(set) var reused = 0
  /// The block holds nothing that is sound.
  package private(set) var damaged = 0

  package var count: Int { reused + damaged }

  mutating func add(_ other: MissingNodes) {
    reused += other.reused
    damaged += other.damaged
  }

  /// `block`: `nil` where it would be off the device.
  mutating func add(_ block: MetadataBlock?, _ census: BlockCensus) {
    if let block, census.isReused(block) { reused += 1 } else { damaged += 1 }
  }
}
