internal import PersistentData

/// What would come free if some devices were deleted.
package struct FreedBlocks: Hashable, Sendable {
  /// Data blocks that come free at once.
  package let count: UInt64
  /// Data blocks that come free once the metadata snapshot is released too.
  package let heldCount: UInt64

  private static let deleted: UInt32 = 1
  private static let kept: UInt32 = 2
  private static let held: UInt32 = 4

  /// Reads all leaves once. `nil` where damage hides mappings; `reader.findings` then says which.
  package init?(byDeleting ids: Set<UInt64>, from reader: inout PoolReader) {
    var roots: [(block: MetadataBlock, label: UInt32)] = []
    for device in reader.devices {
      guard let root = device.root else { continue }
      roots.append((root, ids.contains(device.id) ? FreedBlocks.deleted : FreedBlocks.kept))
    }
    let heldRoots = reader.heldDevices.compactMap(\.root)
    roots += heldRoots.map { ($0, FreedBlocks.held) }
    let labels = LeafLabels(
      reader.mappings, roots, blockCount: reader.usage.blockCount, joining: |)

    let limits = reader.limits
    // What is mapped by devices that are deleted, by others, by the metadata snapshot.
    let users = (0..<3).map { _ in RefCounts(count: limits.dataBlockCount) }
    let visitors = reader.mappings.readLeaves(findings: &reader.findings) {
      UserVisitor(labels: labels, users: users, leaf: MappingLeaf(limits))
    }
    for var visitor in visitors {
      for index in visitor.batches.indices { visitor.batches[index].flush() }
      reader.findings.merge(visitor.findings)
    }
    guard reader.findings.worst != .error, !reader.hasLostHeldTrees else { return nil }
    count = users[0].countedBlocks(butNotIn: [users[1], users[2]])
    heldCount = users[0].countedBlocks(butNotIn: [users[1]]) - count
  }

  /// Counts the data blocks of leaves for those who map them.
  private struct UserVisitor: LeafVisitor {
    let labels: LeafLabels
    var batches: [CountBatch]
    var leaf: MappingLeaf
    var findings = Findings()

    init(labels: LeafLabels, users: [RefCounts], leaf: MappingLeaf) {
      self.labels = labels
      batches = users.map { CountBatch($0) }
      self.leaf = leaf
    }

    mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
      let label = labels[reference.block]
      leaf.read(node, reference, findings: &findings)
      for index in batches.indices where label & 1 << UInt32(index) != 0 {
        for run in leaf.runs {
          batches[index].add(BlockRun(begin: run.dataBegin, length: run.length))
        }
      }
    }
  }
}
