internal import PersistentData

/// Compares the leaves that two states of a pool don't share, to tell whether one can have come
/// out of the other.
struct Lineage {
  struct Change {
    /// Entries beyond a leaf's last that its forerunner can't have left there.
    var strayTails = 0
    /// Entries that were both added and removed in a leaf: the smaller number.
    var replaced = 0
    var kept = 0
  }

  /// A leaf with all that stands in its key array, in use or not.
  private struct Leaf {
    let entryCount: Int
    let keys: [UInt64]
    var live: ArraySlice<UInt64> { keys[..<entryCount] }
  }

  private enum Content {
    case leaf(Leaf, values: [UInt64])
    case `internal`(keys: [UInt64], children: [UInt32])
  }

  private let file: BlockFile

  init(_ file: BlockFile) { self.file = file }

  func change(from old: PoolState, to new: PoolState) -> Change {
    var change = Change()
    compare(new.detailsRoot, old.detailsRoot, old.allocated, &change)
    compareTopLevel(new.mappingRoot, old.mappingRoot, old.allocated, &change)
    return change
  }

  /// Compares the devices' tree, and the tree of each device that has changed.
  private func compareTopLevel(
    _ new: UInt32, _ old: UInt32, _ shared: BlockSet, _ change: inout Change
  ) {
    forEachNewLeaf(new, shared, depth: 0) { leaf, values in
      let before = find(old, key: leaf.keys.first ?? 0)
      if let before { compare(leaf, before.leaf, &change) }
      for (device, root) in zip(leaf.live, values) {
        guard let root = UInt32(exactly: root), !shared.contains(root),
          let (oldLeaf, oldValues) = find(old, key: device),
          let place = oldLeaf.live.firstIndex(of: device),
          let oldRoot = UInt32(exactly: oldValues[place])
        else { continue }
        compare(root, oldRoot, shared, &change)
      }
    }
  }

  private func compare(
    _ new: UInt32, _ old: UInt32, _ shared: BlockSet, _ change: inout Change
  ) {
    forEachNewLeaf(new, shared, depth: 0) { leaf, _ in
      if let before = find(old, key: leaf.live.first ?? 0) {
        compare(leaf, before.leaf, &change)
      }
    }
  }

  private func compare(_ leaf: Leaf, _ before: Leaf, _ change: inout Change) {
    let now = Set(leaf.live)
    let then = Set(before.live)
    let kept = now.intersection(then).count
    change.kept += kept
    change.replaced += min(now.count - kept, then.count - kept)
    // The upper half of a node that was split starts on fresh bytes.
    if let first = leaf.live.first, first != before.live.first, then.contains(first),
      before.live.startIndex != before.live.firstIndex(of: first),
      leaf.entryCount < before.entryCount / 2 + 2
    {
      return
    }
    let places = Dictionary(zip(before.live, before.live.indices)) { first, _ in first }
    for place in leaf.entryCount..<leaf.keys.count {
      let key = leaf.keys[place]
      // Removing an entry moves those after it down and leaves the last where it was.
      let isInherited =
        place >= before.entryCount
        ? key == before.keys[place] : (places[key] ?? -1) >= place
      if !isInherited { change.strayTails += 1 }
    }
  }

  /// Goes through the leaves below `block` that the other state does not have.
  private func forEachNewLeaf(
    _ block: UInt32, _ shared: BlockSet, depth: Int, _ body: (Leaf, [UInt64]) -> Void
  ) {
    guard depth < 16, !shared.contains(block) else { return }
    switch read(block) {
    case nil: return
    case .leaf(let leaf, let values): body(leaf, values)
    case .internal(_, let children):
      for child in children { forEachNewLeaf(child, shared, depth: depth + 1, body) }
    }
  }

  /// The leaf below `root` where `key` belongs.
  private func find(_ root: UInt32, key: UInt64) -> (leaf: Leaf, values: [UInt64])? {
    var block = root
    for _ in 0..<16 {
      switch read(block) {
      case nil: return nil
      case .leaf(let leaf, let values): return (leaf, values)
      case .internal(let keys, let children):
        let place = max(0, (keys.firstIndex { $0 > key } ?? keys.count) - 1)
        block = children[place]
      }
    }
    return nil
  }

  private func read(_ block: UInt32) -> Content? {
    guard block > 0, UInt64(block) < file.blockCount else { return nil }
    return try? file.withBlock(MetadataBlock(block)) { bytes in
      let node = BTreeNode(bytes)
      guard BlockKind(of: bytes) == .btreeNode, node.isSound(in: MetadataBlock(block))
      else { return nil }
      let hasNumbers = node.valueSize == BTreeNode.pointerSize
      let values = hasNumbers ? (0..<node.entryCount).map { node.value($0) } : []
      if node.kind == .internal {
        return .internal(
          keys: (0..<node.entryCount).map { node.key($0) },
          children: values.map { UInt32(clamping: $0) })
      }
      return .leaf(
        Leaf(entryCount: node.entryCount, keys: (0..<node.maxEntries).map { node.key($0) }),
        values: values)
    }
  }
}
