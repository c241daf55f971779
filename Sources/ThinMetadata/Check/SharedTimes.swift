internal import PersistentData

/// Times that devices must have been snapshotted after, because of blocks that they share.
///
/// The kernel takes a block for a device's own, and writes to it in place, when it was mapped at
/// the time of the device's last snapshot or later. So every device that shares a block must have
/// been snapshotted after it was mapped.
///
/// Source: Linux, drivers/md/dm-thin-metadata.c, `__snapshotted_since`.
struct SharedTimes: Sendable {
  /// By block of a leaf or an internal node: one more than the latest time of the shared mappings
  /// below it.
  private let timesAfter: [MetadataBlock: UInt32]
  /// Whether several leaves may map a data block that one device takes for its own.
  let hasRivals: Bool

  /// `leaves`: by block of a leaf, one more than the latest time of its shared mappings.
  init(_ leaves: [MetadataBlock: UInt32], in skeleton: TreeSkeleton, hasRivals: Bool = false) {
    self.hasRivals = hasRivals
    var times = leaves
    // A node stands after all its parents, so going backwards meets children first.
    if !leaves.isEmpty {
      for node in skeleton.nodes.reversed() {
        let latest = node.entries.compactMap { times[MetadataBlock(skeleton.children[$0])] }.max()
        if let latest { times[node.block] = latest }
      }
    }
    timesAfter = times
  }

  /// Reads the leaves that only one live device has once more, for mappings that it takes for its
  /// own but shares. `counts`: of the live devices' references alone. `shared`: what is known of
  /// leaves that several devices have.
  init(
    _ mappings: TreeWalk, _ leaf: MappingLeaf, _ counts: RefCounts, shared: [MetadataBlock: UInt32]
  ) {
    var walk = mappings
    // What is wrong with leaves has been reported.
    var findings = Findings()
    let visitors = walk.readLeaves(where: { $0.treeCount == 1 }, findings: &findings) {
      Visitor(counts: counts, leaf: leaf)
    }
    let leaves = shared.merging(visitors.flatMap(\.timesAfter)) { first, _ in first }
    self.init(leaves, in: mappings.skeleton, hasRivals: true)
  }

  /// The lowest snapshotted time that a device with the tree at `root` may have; 0 when any will
  /// do.
  subscript(below root: MetadataBlock) -> UInt32 { timesAfter[root, default: 0] }

  private struct Visitor: LeafVisitor {
    let counts: RefCounts
    var leaf: MappingLeaf
    var timesAfter: [(MetadataBlock, UInt32)] = []

    mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
      var findings = Findings()
      leaf.read(node, reference, findings: &findings)
      let own = leaf.runs.filter { $0.time >= reference.reach.lowest }
      let isShared = counts.haveCountAbove1(own.lazy.map(\.dataBlocks))
      if let time = zip(own, isShared).lazy.filter(\.1).map(\.0.time).max() {
        timesAfter.append((reference.block, time + 1))
      }
    }
  }
}

/// A device whose snapshotted time lets the kernel write in place to blocks that others share.
package struct SnapshottedTimeTooLow: Hashable, Sendable {
  package let device: UInt64
  package let found: UInt32
  /// The lowest time with which the kernel copies all that is shared before it writes to it.
  package let lowest: UInt32

  /// `nil` where nothing is wrong, or where details or mappings are lost.
  init?(_ device: ThinDevice, _ times: SharedTimes) {
    guard let details = device.details, let root = device.root,
      details.snapshottedTime < times[below: root]
    else { return nil }
    self.device = device.id
    found = details.snapshottedTime
    lowest = times[below: root]
  }
}
