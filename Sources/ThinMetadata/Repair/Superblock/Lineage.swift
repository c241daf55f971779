internal import PersistentData

/// Compares the leaves that two states of a pool don't share, to tell whether one can have come
/// from the other.
struct Lineage {
  struct Change {
    /// Entries added to leaves, or removed from them, where only one of both happened.
    var changed = 0
    /// Entries beyond the last one of such leaves that the leaf's predecessor can't have left
    /// there.
    var strayTails = 0
    /// Where a tree had entries both added and removed: the smaller number.
    var replaced = 0
    var kept = 0
  }

  /// A leaf with all that stands in its key array, in use or not.
  private struct Leaf {
    let entryCount: Int
    let keys: [UInt64]
    /// Of the entries in use; empty unless they are eight bytes long.
    let values: [UInt64]
    var live: ArraySlice<UInt64> { keys[..<entryCount] }
  }

  private enum Content {
    case leaf(Leaf)
    case `internal`(keys: [UInt64], children: [MetadataBlock])
  }

  private let file: BlockFile

  init(_ file: BlockFile) { self.file = file }

  /// Compares the details, the devices' tree, and the tree of each device that has changed.
  func change(from old: PoolState, to new: PoolState) -> Change {
    var change = Change()
    guard let newRoots = new.roots, let oldRoots = old.roots else { return change }
    compare(newRoots.details, new, oldRoots.details, old, &change)
    compare(newRoots.mapping, new, oldRoots.mapping, old, &change)
    forEachLeaf(of: newRoots.mapping, notIn: old.allocated) { leaf in
      for (device, root) in zip(leaf.live, leaf.values) {
        guard let root = MetadataBlock(pointer: root, count: .max), !old.allocated.contains(root),
          let before = find(oldRoots.mapping, key: device),
          let index = before.live.firstIndex(of: device), index < before.values.count,
          let oldRoot = MetadataBlock(pointer: before.values[index], count: .max)
        else { continue }
        compare(root, new, oldRoot, old, &change)
      }
    }
    return change
  }

  /// Compares what two versions of a tree do not share.
  private func compare(
    _ newRoot: MetadataBlock, _ new: PoolState, _ oldRoot: MetadataBlock, _ old: PoolState,
    _ change: inout Change
  ) {
    var now: Set<UInt64> = []
    var then: Set<UInt64> = []
    var newLeaves: [Leaf] = []
    var oldCount = 0
    forEachLeaf(of: newRoot, notIn: old.allocated) { leaf in
      newLeaves.append(leaf)
      now.formUnion(leaf.live)
    }
    forEachLeaf(of: oldRoot, notIn: new.allocated) { leaf in
      oldCount += 1
      then.formUnion(leaf.live)
    }
    let kept = now.intersection(then).count
    change.kept += kept
    change.replaced += min(now.count - kept, then.count - kept)
    // Where leaves were split or merged, nothing is known of the bytes they started from.
    guard newLeaves.count == oldCount else { return }
    for leaf in newLeaves {
      guard let before = find(oldRoot, key: leaf.live.first ?? 0) else { continue }
      addTails(leaf, before, &change)
    }
  }

  private func addTails(_ leaf: Leaf, _ before: Leaf, _ change: inout Change) {
    let now = Set(leaf.live)
    // Where entries were both added and removed, the tail may hold anything.
    guard now.isSubset(of: before.live) || now.isSuperset(of: before.live) else { return }
    let indices = Dictionary(zip(before.live, before.live.indices)) { first, _ in first }
    // The older leaf may have had room for fewer.
    let end = min(leaf.keys.count, before.keys.count)
    let tail = min(leaf.entryCount, end)..<end
    change.changed +=
      max(leaf.entryCount, before.entryCount) - min(leaf.entryCount, before.entryCount)
    change.strayTails += tail.count { index in
      let key = leaf.keys[index]
      // Removing an entry moves those after it down and leaves the last where it was.
      let isInherited =
        index >= before.entryCount
        ? key == before.keys[index] : (indices[key] ?? -1) >= index
      return !isInherited
    }
  }

  /// Goes through the leaves below `block` that the other state does not have.
  private func forEachLeaf(
    of block: MetadataBlock, notIn other: AllocatedBlocks, depth: Int = 0, _ body: (Leaf) -> Void
  ) {
    guard depth < Tree.levelLimit, !other.contains(block) else { return }
    switch read(block) {
    case nil: return
    case .leaf(let leaf): body(leaf)
    case .internal(_, let children):
      for child in children { forEachLeaf(of: child, notIn: other, depth: depth + 1, body) }
    }
  }

  /// The leaf below `root` where `key` belongs.
  private func find(_ root: MetadataBlock, key: UInt64) -> Leaf? {
    var block = root
    for _ in 0..<Tree.levelLimit {
      switch read(block) {
      case nil: return nil
      case .leaf(let leaf): return leaf
      case .internal(let keys, let children):
        let index = max(0, (keys.firstIndex { $0 > key } ?? keys.count) - 1)
        block = children[index]
      }
    }
    return nil
  }

  private func read(_ block: MetadataBlock) -> Content? {
    guard block != .superblock, UInt64(block.number) < file.blockCount else { return nil }
    return try? file.withBlock(block) { bytes in
      let node = BTreeNode(bytes)
      guard BlockKind(of: bytes) == .btreeNode, node.isSound(in: block)
      else { return nil }
      let hasNumbers = node.valueSize == BTreeNode.pointerSize
      let values = hasNumbers ? (0..<node.entryCount).map { node.value($0) } : []
      if node.kind == .internal {
        return .internal(
          keys: (0..<node.entryCount).map { node.key($0) },
          children: values.map { MetadataBlock(UInt32(clamping: $0)) })
      }
      return .leaf(
        Leaf(
          entryCount: node.entryCount, keys: (0..<node.maxEntries).map { node.key($0) },
          values: values))
    }
  }
}
