extension TreeWalk {
  /// Goes through the misfits below `root`: nodes with keys that their parents don't allow. What
  /// such keys lead to is found by nobody who looks for a key.
  ///
  /// `body` gets the keys for which one comes to a misfit from `root`, and those of them for which
  /// the misfit is sure to have all that it should; entries may be missing for the others. Only
  /// branches that `entering` allows are gone into. Ask after the leaves were read.
  package func forEachMisfit(
    below root: MetadataBlock, keys: ClosedRange<UInt64> = 0...UInt64.max,
    entering: (MetadataBlock) -> Bool,
    _ body: (_ keys: ClosedRange<UInt64>, _ sound: ClosedRange<UInt64>?) -> Void
  ) {
    guard isUsable(root), entering(root) else { return }
    if let sound = misfits[root] {
      body(keys, sound.flatMap { keys.clamped(from: $0.lowerBound, to: $0.upperBound) })
    }
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
  /// Whether this node, which was checked, has keys that its parents don't allow.
  func isMisfit(_ reference: NodeReference) -> Bool {
    keys.map { $0.lowerBound < reference.first || $0.upperBound > reference.last } ?? false
  }

  /// The keys for which a misfit is sure to have all that it should: from the first key that its
  /// parents allow to the last, or as far as they allow where the keys on that side are in order.
  func soundKeys(_ reference: NodeReference) -> ClosedRange<UInt64>? {
    let (first, last) = (reference.first, reference.last)
    let low = (0..<entryCount).first { key($0) >= first } ?? entryCount
    let high = (0..<entryCount).first { key($0) > last } ?? entryCount
    // The last child that starts too low goes on to the next key: only those before it are lost.
    let lostLow = kind == .leaf ? low : max(0, low - 1)
    if (lostLow > 0 || high < entryCount) && low >= high { return nil }
    return (0...UInt64.max).clamped(
      from: lostLow > 0 ? key(low) : first, to: high < entryCount ? key(high - 1) : last)
  }
}

extension ClosedRange<UInt64> {
  /// What lies from `first` to `last`; `nil` where nothing does.
  func clamped(from first: UInt64, to last: UInt64) -> ClosedRange<UInt64>? {
    let (first, last) = (Swift.max(first, lowerBound), Swift.min(last, upperBound))
    return first <= last ? first...last : nil
  }
}
