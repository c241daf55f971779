extension BTreeNode {
  /// Whether this is, judged by itself alone, the node that lives in `block`; the caller has found
  /// its checksum to be a node's.
  package func isSound(in block: MetadataBlock) -> Bool {
    // A node without entries may claim any value size.
    guard BTreeNode.capacity(valueSize: valueSize) > 0 else { return false }
    var unused = Findings()
    let tree = Tree(StructureLabel("", order: 0), leafValueSize: valueSize)
    return check(.anywhere(block), in: tree, into: &unused)
  }

  /// Reports everything wrong with this node, judged by itself and its parents.
  ///
  /// The caller has found the block's checksum to be a node's. Returns whether the entries may be
  /// read. A node with keys out of range may be; its reader skips those keys.
  package func check(
    _ reference: NodeReference, in tree: Tree, into findings: inout Findings
  ) -> Bool {
    if block != UInt64(reference.block.number) {
      findings.report(
        .blockWrongNumber, at: tree.site(reference), found: block,
        expected: UInt64(reference.block.number))
      return false
    }
    guard let kind else {
      findings.report(
        .nodeUnknownKind, at: tree.site(reference), found: "flags \(bytes[Layout.flags])",
        expected: "1 or 2")
      return false
    }
    return checkSizes(kind, reference, tree, &findings) && checkKeys(reference, tree, &findings)
  }

  /// Sizes come first: every later offset is computed from them.
  private func checkSizes(
    _ kind: Kind, _ reference: NodeReference, _ tree: Tree, _ findings: inout Findings
  ) -> Bool {
    let wanted = kind == .leaf ? tree.leafValueSize : BTreeNode.pointerSize
    guard valueSize == wanted else {
      findings.report(
        .nodeWrongValueSize, at: tree.site(reference), found: UInt64(valueSize),
        expected: UInt64(wanted))
      return false
    }
    let capacity = BTreeNode.capacity(valueSize: valueSize)
    guard entryCount <= maxEntries, maxEntries <= capacity else {
      findings.report(
        .nodeOverfull, at: tree.site(reference), found: "\(entryCount) of \(maxEntries)",
        expected: .atMost(capacity))
      return false
    }
    if kind == .internal, entryCount == 0 {
      findings.report(.nodeEmpty, at: tree.site(reference))
      return false
    }
    let usual = BTreeNode.maximumEntries(valueSize: valueSize)
    if maxEntries != usual {
      findings.report(
        .nodeUnusualMaximum, at: tree.site(reference), found: UInt64(maxEntries),
        expected: UInt64(usual))
    }
    if !reference.isRoot, entryCount < BTreeNode.minimumEntries(valueSize: valueSize) {
      findings.report(
        .nodeUnderfull, at: tree.site(reference), found: "\(entryCount) entries",
        expected: .atLeast(BTreeNode.minimumEntries(valueSize: valueSize)))
    }
    return true
  }

  private func checkKeys(
    _ reference: NodeReference, _ tree: Tree, _ findings: inout Findings
  ) -> Bool {
    guard entryCount > 0 else { return true }
    guard keySpan.ascend else {
      reportFirstDescent(reference, tree, &findings)
      return false
    }
    let last = key(entryCount - 1)
    if key(0) < reference.first {
      findings.report(
        .keyOutOfRange, at: tree.site(reference, entry: 0), found: "\(key(0))",
        expected: .atLeast(reference.first))
    }
    if last > reference.last {
      findings.report(
        .keyOutOfRange, at: tree.site(reference, entry: entryCount - 1), found: "\(last)",
        expected: .atMost(reference.last))
    }
    return true
  }

  private func reportFirstDescent(
    _ reference: NodeReference, _ tree: Tree, _ findings: inout Findings
  ) {
    guard let index = (1..<entryCount).first(where: { key($0) <= key($0 - 1) }) else { return }
    findings.report(
      .keysNotAscending, at: tree.site(reference, entry: index), found: "\(key(index))",
      expected: .above(key(index - 1)))
  }
}
