internal import PersistentData

/// The runs at the edges of leaves, which show whether a device's run continues in the next leaf.
struct LeafEdges: Sendable {
  /// The first run of a leaf, and where the last one ends.
  struct Edge: Sendable {
    let leaf: UInt32
    /// Of the first run.
    let length: UInt16
    /// Whether that is all the leaf has.
    let isOnly: Bool
    let virtualBegin: UInt64
    let dataBegin: UInt64
    let virtualEnd: UInt64
    let dataEnd: UInt64
  }

  /// As the workers have collected them: to put them together would take as much memory again.
  private var parts: [[Edge]] = []
  /// By part: how many there are in the parts before it.
  private var starts: [Int] = []
  private var places: BlockPlaces
  private var count = 0

  init(blockCount: UInt64) { places = BlockPlaces(blockCount: blockCount) }

  mutating func add(_ edges: [Edge]) {
    for (index, edge) in edges.enumerated() { places[edge.leaf] = count + index }
    starts.append(count)
    parts.append(edges)
    count += edges.count
  }

  /// The edges of a leaf, if one of them touches a region.
  subscript(leaf: UInt32) -> Edge? {
    guard let place = places[leaf], let part = starts.lastIndex(where: { $0 <= place })
    else { return nil }
    return parts[part][place - starts[part]]
  }
}
