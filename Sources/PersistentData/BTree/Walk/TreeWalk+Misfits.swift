/// A node with keys that its parents don't allow. Whichever of them is wrong: what such keys lead
/// to is found by nobody who looks for a key.
package struct Misfit: Sendable {
  /// The keys for which the node is sure to have all that it should: from the first key that its
  /// parents allow to the last, or as far as they allow where the keys on that side are in order.
  package let sound: ClosedRange<UInt64>?
  /// What the other keys stand for. If a parent is wrong, that is missing.
  package let strays: [ClosedRange<UInt64>]
  /// Whether one key of the node can be wrong, and nothing else: its first or its last, where there
  /// is room for another within what the parents allow. If not, a parent is wrong, or all of it.
  package let canBeOneKey: Bool
}

extension Misfit {
  /// Where entries may be missing in a tree in which one comes to this node for `keys`.
  package func doubtful(in keys: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
    keys.removing([sound].compactMap(\.self).common(with: [keys])) + strays
  }
}

extension TreeWalk {
  /// What is known of a node with keys that its parents don't allow; ask after the leaves were
  /// read.
  package func misfit(at block: MetadataBlock) -> Misfit? { misfits[block] }

  /// Goes through the misfits below `root`. `body` gets the keys for which one comes to a misfit
  /// from there. Only branches that `entering` allows are gone into. Ask after the leaves were
  /// read.
  package func forEachMisfit(
    below root: MetadataBlock, keys: ClosedRange<UInt64> = 0...UInt64.max,
    entering: (MetadataBlock) -> Bool, _ body: (_ keys: ClosedRange<UInt64>, Misfit) -> Void
  ) {
    guard isUsable(root), entering(root) else { return }
    if let misfit = misfits[root] { body(keys, misfit) }
    guard let index = skeleton.index(of: root) else { return }
    let entries = skeleton.nodes[index].entries
    for entry in entries where skeleton.children[entry] != 0 {
      // What other parents allow does not matter here: it says what is missing in this tree.
      let last = entry + 1 < entries.upperBound ? skeleton.keys[entry + 1] - 1 : .max
      if let range = keys.clamped(from: skeleton.keys[entry], to: last) {
        forEachMisfit(
          below: MetadataBlock(skeleton.children[entry]), keys: range, entering: entering, body)
      }
    }
  }
}

extension BTreeNode {
  /// What is wrong with the keys of this node, which was checked, by what its parents allow.
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
    // A child goes on to the next key, and the last one without an end.
    if low > 0 { strays.append(key(0)...(kind == .leaf ? key(low - 1) : first - 1)) }
    if high < entryCount { strays.append(key(high)...(kind == .leaf ? keys.upperBound : .max)) }
    // Of the children that start too low, the last one has all that its parents allow of it.
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
  /// What lies from `first` to `last`; `nil` where nothing does.
  func clamped(from first: UInt64, to last: UInt64) -> ClosedRange<UInt64>? {
    let (first, last) = (Swift.max(first, lowerBound), Swift.min(last, upperBound))
    return first <= last ? first...last : nil
  }
}
