internal import PersistentData

/// How many pieces devices are in: runs of virtual blocks whose data blocks are consecutive too.
///
/// Counted from the leaves up, each node once, however many devices share it.
struct PieceCounts: Sendable {
  /// The pieces below a node, and where the outermost begin and end.
  struct Part: Sendable {
    var count: UInt64
    let firstVirtual: UInt64
    let firstData: UInt64
    var endVirtual: UInt64
    var endData: UInt64

    /// Appends the part to the right.
    mutating func append(_ next: Part) {
      let isJoined = endVirtual == next.firstVirtual && endData == next.firstData
      count += next.count - (isJoined ? 1 : 0)
      endVirtual = next.endVirtual
      endData = next.endData
    }
  }

  /// A leaf, by its number among the leaves.
  struct Leaf: Sendable {
    let index: Int
    let part: Part

    /// `nil` for a leaf without mappings.
    init?(_ index: Int, _ runs: ArraySlice<MappingRun>) {
      guard let first = runs.first else { return nil }
      self.index = index
      var part = PieceCounts.part(first)
      // Runs that differ in nothing but their time are one piece.
      for run in runs.dropFirst() { part.append(PieceCounts.part(run)) }
      self.part = part
    }
  }

  private var leaves: [Part?]
  /// By index in the skeleton.
  private var nodes: [Part?] = []

  init(leafCount: Int) { leaves = Array(repeating: nil, count: leafCount) }

  private static func part(_ run: MappingRun) -> Part {
    Part(
      count: 1, firstVirtual: run.virtualBegin, firstData: run.dataBegin,
      endVirtual: run.virtualBegin &+ run.length, endData: run.dataBegin + run.length)
  }

  mutating func add(_ parts: [Leaf]) {
    for leaf in parts { leaves[leaf.index] = leaf.part }
  }

  /// Adds up what is below the nodes of a walk; to be called once, after all leaves.
  mutating func sum(_ walk: TreeWalk) {
    nodes = Array(repeating: nil, count: walk.skeleton.nodes.count)
    // Backwards, so that children come first.
    for index in walk.skeleton.nodes.indices.reversed() {
      for child in walk.skeleton.children[walk.skeleton.nodes[index].entries] where child != 0 {
        guard let part = part(below: MetadataBlock(child), walk) else { continue }
        if nodes[index] == nil { nodes[index] = part } else { nodes[index]?.append(part) }
      }
    }
  }

  private func part(below block: MetadataBlock, _ walk: TreeWalk) -> Part? {
    if let index = walk.skeleton.index(of: block) { return nodes[index] }
    return walk.leafIndex(of: block).flatMap { leaves[$0] }
  }

  /// The pieces of the device whose tree starts in `root`.
  func count(below root: MetadataBlock, _ walk: TreeWalk) -> UInt64 {
    part(below: root, walk)?.count ?? 0
  }
}
