/// A node with keys that its parents don't allow. Whether node or parent is wrong, no lookup can
/// find what is stored under such keys.
package struct Misfit: Sendable {
  /// The keys for which the node surely has every entry: from its first key that the parents allow
  /// to its last. On a side with no key out of range it extends to the parents' bound.
  package let sound: ClosedRange<UInt64>?
  /// The keys out of range. If a parent is wrong, entries for these are missing.
  package let strays: [ClosedRange<UInt64>]
  /// Whether a single wrong key explains it: the node's first or last, if a key within the parents'
  /// bounds could stand there. If not, a parent is wrong, or the whole node.
  package let canBeOneKey: Bool
}

extension Misfit {
  /// Where entries may be missing in a tree that leads to this node for `keys`.
  package func doubtful(in keys: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
    keys.removing([sound].compactMap(\.self).common(with: [keys])) + strays
  }
}

extension TreeWalk {
  /// What is known of a node with keys that its parents don't allow; valid once the leaves were
  /// read.
  package func misfit(at block: MetadataBlock) -> Misfit? { misfits[block] }

  /// Goes through the misfits below `root`. `body` gets the keys for which `root` leads to the
  /// misfit. Only branches that `entering` allows are visited. Valid once the leaves were read.
  package func forEachMisfit(
    below root: MetadataBlock, keys: ClosedRange<UInt64> = 0...UInt64.max,
    entering: (MetadataBlock) -> Bool, _ body: (_ keys: ClosedRange<UInt64>, Misfit) -> Void
  ) {
    guard isUsable(root), entering(root) else { return }
    if let misfit = misfits[root] { body(keys, misfit) }
    guard let index = skeleton.index(of: root) else { return }
    let entries = skeleton.nodes[index].entries
    for entry in entries where skeleton.children[entry] != 0 {
      // Other parents' bounds don't matter here: this is about what is missing in this tree.
      let last = entry + 1 < entries.upperBound ? skeleton.keys[entry + 1] - 1 : .max
      if let range = keys.clamped(from: skeleton.keys[entry], to: last) {
        forEachMisfit(
          below: MetadataBlock(skeleton.children[entry]), keys: range, entering: entering, body)
      }
    }
  }
}

extension BTreeNode {
  /// Compares the keys of this node, which was checked, with its parents' bounds; `nil` if they
  /// fit.
  func misfit(_ reference: NodeReference) -> Misfit? {
    let (first, last) = (reference.first, reference.last)
    guard let keys, keys.lowerBound < first || keys.upperBound > last else { return nil }
    let low = (0..<entryCount).first { key($0) >= first } ?? entryCount
    let high = (0..<entryCount).first { key($0) > last } ?? entryCount
    let neighbour = entryCount < 2 ? nil : key(low > 0 ? 1 : entryCount - 2)
    let canBeOneKey =
      low + entryCount - high == 1
      && (neighbour.map { low > 0 ? $0 > first : $0 < last } ?? true)
    var strays: [ClosedRange<UInt64>] = []
    // A child covers keys up to the next entry's key; the last child has no end.
    if low > 0 { strays.append(key(0)...(kind == .leaf ? key(low - 1) : first - 1)) }
    if high < entryCount { strays.append(key(high)...(kind == .leaf ? keys.upperBound : .max)) }
    // Of the children that start too low, the last one covers the start of the parents' range.
    let lostLow = kind == .leaf ? low : max(0, low - 1)
    if (lostLow > 0 || high < entryCount) && low >= high {
      return Misfit(sound: nil, strays: strays, canBeOneKey: canBeOneKey)
    }
    let sound = (0...UInt64.max).clamped(
      from: lostLow > 0 ? key(low) : first, to: high < entryCount ? key(high - 1) : last)
    return Misfit(sound: sound, strays: strays, canBeOneKey: canBeOneKey)
  }
}

extension ClosedRange<UInt64> {
  /// The part from `first` to `last`; `nil` if it is empty.
  func clamped(from first: UInt64, to last: UInt64) -> ClosedRange<UInt64>? {
    let (first, last) = (Swift.max(first, lowerBound), Swift.min(last, upperBound))
    return first <= last ? first...last : nil
  }
}
