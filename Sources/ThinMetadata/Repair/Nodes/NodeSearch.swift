internal import PersistentData

/// What lost nodes of mapping trees held, as far as children, counts and details leave no doubt.
///
/// Lost nodes are grouped: those that one device misses, or that one child may have stood in. All
/// arrangements of each group are looked at.
struct NodeSearch {
  /// What is certain about a lost node.
  struct Contents {
    let parts: [NodePart]
    /// Levels of the node's children above the leaves; `nil` where that is not known.
    let childHeight: Int?
    /// Keys where it may have had more; `nil` when that may be anywhere.
    let doubtful: [ClosedRange<UInt64>]?
  }

  /// With more lost nodes, it isn't just a few bad blocks.
  private static let maxNodes = 256
  /// The most questions that are asked about nodes that can't be told apart.
  private static let maxQuestions = 1 << 14

  /// By lost node; those of groups that could be searched.
  private(set) var contents: [MetadataBlock: Contents] = [:]

  /// Whether to take entries that several nodes share, one of which stood in a lost node.
  private let takesCommon: Bool
  private let blocks: [MetadataBlock]
  private let holes: [TreeWalk.Hole]
  private let hiddenNodes: Int
  private var questions = NodeSearch.maxQuestions
  private var children: [(block: MetadataBlock, missing: Int, extent: SubtreeExtents.Extent)] = []
  private var devices: [Device] = []

  private struct Device: Hashable {
    /// The lost nodes that it misses, as indices.
    let nodes: [Int]
    /// `nil` when it isn't known what it misses.
    let lack: ChildArrangements.Lack?
  }

  /// `holes`: the lost nodes that aren't leaves, of the live pool and the metadata snapshot.
  init(
    _ holes: [MetadataBlock: TreeWalk.Hole], _ deficits: Deficits, _ pool: PoolReading,
    _ census: BlockCensus, takingCommon takesCommon: Bool
  ) {
    self.takesCommon = takesCommon
    let reader = pool.reader
    blocks = holes.keys.sorted()
    self.holes = blocks.compactMap { holes[$0] }
    hiddenNodes = deficits.hiddenNodes ?? 0
    let canCount =
      deficits.hiddenNodes != nil && reader.hasAllDevices
      && reader.mappings.crossLinked.isEmpty && pool.hasCredibleDetails
    guard canCount, blocks.count <= NodeSearch.maxNodes else { return }
    var extents = SubtreeExtents(census)
    for candidate in deficits.candidates where candidate.tree == .mapping {
      guard let extent = extents.extent(of: candidate.block) else { return }
      children.append((candidate.block, candidate.missing, extent))
    }
    let index = Dictionary(uniqueKeysWithValues: zip(blocks, blocks.indices))
    devices = pool.missingMappings.map { missing in
      let nodes = missing.nodes.compactMap { index[$0] }
      let lack =
        missing.hasLostPointers
        ? nil
        : missing.count.map {
          ChildArrangements.Lack(mappings: $0, lostLeaves: missing.nodes.count - nodes.count)
        }
      return Device(nodes: nodes, lack: lack)
    }
    for group in groups() { search(group, &extents, reader.file) }
  }

  private func mayHold(_ node: Int, _ extent: SubtreeExtents.Extent) -> Bool {
    let hole = holes[node]
    return extent.keys.lowerBound >= hole.reference.first
      && extent.keys.upperBound <= hole.reference.last
      && hole.height.map { extent.height < $0 } ?? true
  }

  /// The lost nodes, grouped by the devices and children that connect them.
  private func groups() -> [[Int]] {
    var leaders = Array(blocks.indices)
    func leader(_ node: Int) -> Int {
      var node = node
      while leaders[node] != node { node = leaders[node] }
      return node
    }
    func join(_ nodes: [Int]) {
      guard let first = nodes.first.map(leader) else { return }
      for node in nodes { leaders[leader(node)] = first }
    }
    for device in devices { join(device.nodes) }
    for child in children { join(blocks.indices.filter { mayHold($0, child.extent) }) }
    return Dictionary(grouping: blocks.indices, by: leader).sorted { $0.key < $1.key }.map(\.value)
  }

  private mutating func search(
    _ group: [Int], _ extents: inout SubtreeExtents, _ file: BlockFile
  ) {
    // Snapshots often miss exactly the same.
    var known: Set<Device> = []
    let lacking = devices.filter { device in
      device.nodes.contains(where: group.contains) && known.insert(device).inserted
    }
    let lacks = lacking.compactMap(\.lack)
    guard lacks.count == lacking.count, group.count <= ChildArrangements.maxNodes
    else { return }
    let own = children.filter { child in group.contains { mayHold($0, child.extent) } }
    let arrangements = ChildArrangements(
      own.map {
        ChildArrangements.Child(
          keys: $0.extent.keys, height: $0.extent.height, mappingCount: $0.extent.mappingCount,
          missing: $0.missing)
      },
      in: group.map { node in
        let reference = holes[node].reference
        return ChildArrangements.LostNode(
          keys: reference.first...max(reference.first, reference.last),
          height: holes[node].height,
          devices: lacking.indices.filter { lacking[$0].nodes.contains(node) })
      }, lacks: lacks, hiddenNodes: hiddenNodes)
    guard let arrangements else { return }
    let hasLostLeaves = hiddenNodes > 0 || lacks.contains { $0.lostLeaves > 0 }
    for (index, node) in group.enumerated() {
      let certain = arrangements.certain(in: index)
      let open = Set(arrangements.possible(in: index)).subtracting(certain).sorted()
      let common = CommonEntries(of: open.map { own[$0].block }, &extents, file) { some in
        questions -= 1
        return questions > 0 && arrangements.hasAny(of: Set(some.map { open[$0] }), in: index)
      }
      let whole = certain.map { child in
        NodePart(
          keys: own[child].extent.keys, height: own[child].extent.height,
          value: UInt64(own[child].block.number))
      }
      let heights = Set((certain + open).map { own[$0].extent.height })
      contents[blocks[node]] = Contents(
        parts: takesCommon ? whole + common.parts : whole,
        childHeight: hiddenNodes == 0 && heights.count == 1 ? heights.first : nil,
        doubtful: hasLostLeaves ? nil : open.map { own[$0].extent.keys })
    }
  }
}
