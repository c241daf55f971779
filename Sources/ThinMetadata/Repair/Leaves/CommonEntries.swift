internal import PersistentData

/// Entries that several nodes share, one of which stood in a lost node: which one isn't known, but
/// for these entries it makes no difference.
///
/// Trees of snapshots differ in few entries of a node; the rest is copied as it was.
struct CommonEntries {
  /// Children or mappings; none where two contradict each other.
  let parts: [NodePart]

  /// `nodes`: none of them need have stood there. `hasAny`: whether one of some of them, given by
  /// index, must have.
  init(
    of nodes: [MetadataBlock], _ extents: inout SubtreeExtents, _ file: BlockFile,
    hasAny: ([Int]) -> Bool
  ) {
    var holders: [NodePart: [Int]] = [:]
    for (index, block) in nodes.enumerated() {
      for part in CommonEntries.parts(of: block, &extents, file) {
        holders[part, default: []].append(index)
      }
    }
    var isCertain: [[Int]: Bool] = [:]
    let sets = Set(holders.values.filter { $0.count > 1 })
    for some in sets.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      isCertain[some] = hasAny(some)
    }
    let parts = holders.filter { isCertain[$0.value] == true }.keys
      .sorted { $0.keys.lowerBound < $1.keys.lowerBound }
    let isAscending = zip(parts, parts.dropFirst()).allSatisfy {
      $0.keys.upperBound < $1.keys.lowerBound
    }
    self.parts = isAscending ? parts : []
  }

  private static func parts(
    of block: MetadataBlock, _ extents: inout SubtreeExtents, _ file: BlockFile
  ) -> [NodePart] {
    let entries = try? file.withBlock(block) { bytes in
      let node = BTreeNode(bytes)
      return (0..<node.entryCount).map { (key: node.key($0), value: node.value($0)) }
    }
    guard let entries, let extent = extents.extent(of: block) else { return [] }
    return entries.compactMap { key, value in
      if extent.height == 0 {
        return NodePart(keys: key...key, height: NodePart.mappingHeight, value: value)
      }
      guard let child = MetadataBlock(pointer: value, count: .max),
        let extent = extents.extent(of: child)
      else { return nil }
      return NodePart(keys: extent.keys, height: extent.height, value: value)
    }
  }
}
