package import PersistentData

/// What a lost node is remade from: a subtree below it, or a mapping whose leaf is not known.
package struct NodePart: Hashable, Sendable {
  /// The height of a mapping; a leaf has 0.
  static let mappingHeight = -1

  /// The first and the last key below it.
  let keys: ClosedRange<UInt64>
  /// Levels above the leaves.
  let height: Int
  /// The block of the subtree's root, or the mapping.
  package let value: UInt64
  /// The keys whose mapping, or lack of one, is known; ascending.
  let certain: [ClosedRange<UInt64>]

  package init(
    keys: ClosedRange<UInt64>, height: Int, value: UInt64, certain: [ClosedRange<UInt64>]? = nil
  ) {
    self.keys = keys
    self.height = height
    self.value = value
    self.certain = certain ?? [keys]
  }

  /// Whether nothing else can have stood between its keys.
  var isWhole: Bool { certain == [keys] && height != NodePart.mappingHeight }
}

/// Makes nodes from parts, in memory.
package struct NodeMaker {
  private static let capacity = BTreeNode.maximumEntries(valueSize: BTreeNode.pointerSize)

  private let file: BlockFile
  /// Blocks for nodes that were not there before.
  private var spare: ArraySlice<MetadataBlock>

  package init(_ file: BlockFile, _ spare: [MetadataBlock]) {
    self.file = file
    self.spare = spare[...]
  }

  /// Makes a node of these parts stand in for the lost one in `block`; returns its parts. Parts
  /// lower than the others get nodes of their own, as they once had; how they were divided among
  /// those makes no difference.
  ///
  /// `childHeight`: of the node's children; as high as need be where it is not known. `nil` when
  /// one node can't hold all that; the spare blocks are then left as they were.
  package mutating func make(
    _ block: MetadataBlock, of parts: [NodePart], childHeight: Int?
  ) -> [NodePart]? {
    var parts = parts.sorted { $0.keys.lowerBound < $1.keys.lowerBound }
    let isAscending = zip(parts, parts.dropFirst()).allSatisfy {
      $0.keys.upperBound < $1.keys.lowerBound
    }
    guard isAscending, let highest = parts.map(\.height).max() else { return nil }
    let spareBefore = spare
    var height = NodePart.mappingHeight
    while height < childHeight ?? max(0, highest)
      || childHeight == nil && parts.count > NodeMaker.capacity
    {
      parts = raise(parts, from: height)
      height += 1
    }
    guard !parts.isEmpty, parts.count <= NodeMaker.capacity,
      parts.allSatisfy({ $0.height == height })
    else {
      for block in spareBefore.prefix(spareBefore.count - spare.count) {
        file.removeStandIn(for: block)
      }
      spare = spareBefore
      return nil
    }
    put(parts, into: block)
    return parts
  }

  /// Puts neighbours of one height into nodes; parts for which there is no room are left out.
  private mutating func raise(_ parts: [NodePart], from height: Int) -> [NodePart] {
    var raised: [NodePart] = []
    var open: [NodePart] = []
    for part in parts {
      if part.height != height || open.count == NodeMaker.capacity { close(&open, into: &raised) }
      if part.height == height { open.append(part) } else { raised.append(part) }
    }
    close(&open, into: &raised)
    return raised
  }

  private mutating func close(_ open: inout [NodePart], into raised: inout [NodePart]) {
    defer { open = [] }
    guard let first = open.first, let last = open.last, let block = spare.popFirst()
    else { return }
    put(open, into: block)
    raised.append(
      NodePart(
        keys: first.keys.lowerBound...last.keys.upperBound, height: first.height + 1,
        value: UInt64(block.number), certain: open.flatMap(\.certain)))
  }

  private func put(_ parts: [NodePart], into block: MetadataBlock) {
    let kind: BTreeNode.Kind = parts.first?.height == NodePart.mappingHeight ? .leaf : .internal
    let contents = BTreeNode.make(
      kind, block, keys: parts.map(\.keys.lowerBound), values: parts.map(\.value))
    file.standIn(for: block, contents)
  }
}
