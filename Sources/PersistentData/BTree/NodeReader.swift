/// Decides whether a block just read is the node that its parents mean; the one place where that
/// is decided, whoever asks.
package struct NodeReader: Sendable {
  package let tree: Tree
  package var findings = Findings()
  /// Nodes that can't be used, as they were met.
  package private(set) var damaged: [MetadataBlock] = []

  package init(_ tree: Tree) { self.tree = tree }

  /// Whether the entries of the node in `bytes` may be read. `height`: levels above the leaves.
  package mutating func admits(
    _ bytes: RawSpan, as reference: NodeReference, height: Int
  ) -> Bool {
    let isSound = isNode(bytes, reference) && isChecked(bytes, reference, height)
    if !isSound { damaged.append(reference.block) }
    return isSound
  }

  package mutating func unreadable(_ reference: NodeReference, _ error: IOError) {
    findings.report(.blockUnreadable, at: tree.site(reference), found: error.description)
    damaged.append(reference.block)
  }

  private mutating func isNode(_ bytes: RawSpan, _ reference: NodeReference) -> Bool {
    let kind = BlockKind(of: bytes)
    if kind == .btreeNode { return true }
    findings.reportKind(
      kind, expected: .btreeNode,
      at: tree.site(reference, keys: reference.first...max(reference.first, reference.last)))
    return false
  }

  private mutating func isChecked(
    _ bytes: RawSpan, _ reference: NodeReference, _ height: Int
  ) -> Bool {
    let node = BTreeNode(bytes)
    guard node.check(reference, in: tree, into: &findings) else { return false }
    guard (node.kind == .leaf) == (height == 0) else {
      findings.report(
        .leafAtWrongDepth, at: tree.site(reference),
        found: height == 0 ? "an internal node" : "a leaf",
        expected: height == 0 ? "a leaf" : "an internal node")
      return false
    }
    return true
  }
}

extension Findings {
  /// Reports a block whose checksum does not make it the kind of block that belongs there.
  package mutating func reportKind(
    _ kind: BlockKind?, expected: BlockKind, at site: Site
  ) {
    if let kind {
      report(.blockWrongKind, at: site, found: "a \(kind.name)", expected: "a \(expected.name)")
    } else {
      report(.blockBadChecksum, at: site, expected: "a \(expected.name)")
    }
  }
}
