/// Decides whether a block just read is the node that its parents point to; nothing else decides
/// that.
package struct NodeReader: Sendable {
  package let tree: Tree
  package var findings = Findings()
  /// Nodes that can't be used, in the order they were read.
  package private(set) var damaged: [NodeReference] = []
  /// Nodes with keys that their parents don't allow.
  private(set) var misfits: [MetadataBlock: Misfit] = [:]

  private let treatment: Treatment

  package init(_ tree: Tree, _ treatment: Treatment) {
    self.tree = tree
    self.treatment = treatment
  }

  /// Gives `body` the node in `bytes` if its entries may be read. `height`: levels above the
  /// leaves, if known.
  package mutating func read(
    _ bytes: RawSpan, as reference: NodeReference, height: Int?,
    _ body: (BTreeNode, inout Findings) -> Void
  ) {
    if isNode(bytes, reference) {
      if isChecked(bytes, reference, height) {
        body(BTreeNode(bytes), &findings)
        return
      }
    } else if treatment == .salvage,
      let mended = SingleBitError.corrected(bytes, as: .btreeNode),
      isChecked(mended[0], reference, height)
    {
      body(BTreeNode(mended[0]), &findings)
      return
    }
    damaged.append(reference)
  }

  package mutating func unreadable(_ reference: NodeReference, _ error: IOError) {
    findings.report(
      .blockUnreadable, at: tree.site(reference), found: Evidence(words: error.description))
    damaged.append(reference)
  }

  private mutating func isNode(_ bytes: RawSpan, _ reference: NodeReference) -> Bool {
    let kind = BlockKind(of: bytes)
    if kind == .btreeNode { return true }
    let site = tree.site(reference, keys: reference.first...max(reference.first, reference.last))
    if kind == nil, let bit = SingleBitError.locate(in: bytes, as: .btreeNode) {
      findings.report(
        .blockBadChecksum, at: site,
        found: "one flipped bit, bit \(bit % 8) of byte \(bit / 8); repair turns it back")
    } else {
      findings.reportKind(kind, expected: .btreeNode, at: site)
    }
    return false
  }

  private mutating func isChecked(
    _ bytes: RawSpan, _ reference: NodeReference, _ height: Int?
  ) -> Bool {
    let node = BTreeNode(bytes)
    guard node.check(reference, in: tree, into: &findings) else { return false }
    if let height, (node.kind == .leaf) != (height == 0) {
      findings.report(
        .leafAtWrongDepth, at: tree.site(reference),
        found: height == 0 ? "an internal node" : "a leaf",
        expected: height == 0 ? "a leaf" : "an internal node")
      return false
    }
    if let misfit = node.misfit(reference) { misfits[reference.block] = misfit }
    return true
  }
}

extension Findings {
  /// Reports a block whose checksum is not that of the expected kind.
  package mutating func reportKind(
    _ kind: BlockKind?, expected: BlockKind, at site: Site
  ) {
    if let kind {
      report(
        .blockWrongKind, at: site, found: Evidence(words: kind.nameWithArticle),
        expected: Evidence(words: expected.nameWithArticle))
    } else {
      report(.blockBadChecksum, at: site, expected: Evidence(words: expected.nameWithArticle))
    }
  }
}
