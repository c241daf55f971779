/// The distinct nodes of one level of a walk, in location order, each with all that its parents
/// say of it.
struct Frontier: Sendable {
  /// The nodes' numbers, ascending.
  let blocks: [UInt32]
  /// Pointers to the nodes, grouped by node: the block in the upper half; in the lower the index
  /// of a skeleton's entry, or of a root with `rootBit` set.
  private let pointers: [UInt64]
  /// Where each node's pointers start; one more than there are nodes.
  private let starts: [Int32]
  private let skeleton: TreeSkeleton
  private let roots: [TreeRoot]

  private static let rootBit: UInt32 = 1 << 31

  /// `entries`: indices of `skeleton.children`, ascending; `rootIndices`: indices of `roots`.
  /// Pointers that lead off the device are left out.
  init(
    entries: Range<Int>, of skeleton: TreeSkeleton, rootIndices: some Sequence<Int>,
    of roots: [TreeRoot]
  ) {
    var pointers: [UInt64] = []
    pointers.reserveCapacity(entries.count)
    for entry in entries where skeleton.children[entry] != 0 {
      pointers.append(UInt64(skeleton.children[entry]) << 32 | UInt64(entry))
    }
    for root in rootIndices {
      pointers.append(
        UInt64(roots[root].block.number) << 32 | UInt64(root) | UInt64(Frontier.rootBit))
    }
    pointers.sort()
    var blocks: [UInt32] = []
    var starts: [Int32] = []
    for (index, pointer) in pointers.enumerated() {
      let block = UInt32(pointer >> 32)
      if block == blocks.last { continue }
      blocks.append(block)
      starts.append(Int32(index))
    }
    starts.append(Int32(pointers.count))
    self.blocks = blocks
    self.pointers = pointers
    self.starts = starts
    self.skeleton = skeleton
    self.roots = roots
  }

  private init(
    blocks: [UInt32], pointers: [UInt64], starts: [Int32], like other: Frontier
  ) {
    self.blocks = blocks
    self.pointers = pointers
    self.starts = starts
    skeleton = other.skeleton
    roots = other.roots
  }

  /// The same level without the nodes that `isKept` refuses.
  func filtered(_ isKept: (Int) -> Bool) -> Frontier {
    let kept = blocks.indices.filter(isKept)
    var pointers: [UInt64] = []
    var starts: [Int32] = []
    for index in kept {
      starts.append(Int32(pointers.count))
      pointers += self.pointers[Int(self.starts[index])..<Int(self.starts[index + 1])]
    }
    starts.append(Int32(pointers.count))
    return Frontier(blocks: kept.map { blocks[$0] }, pointers: pointers, starts: starts, like: self)
  }

  /// What all parents of the node at `index` say of it: the keys that every one of them allows.
  func reference(_ index: Int) -> NodeReference {
    var first: UInt64 = 0
    var last = UInt64.max
    var owner = UInt64.max
    var isRoot = false
    for pointer in pointers[Int(starts[index])..<Int(starts[index + 1])] {
      let low = UInt32(truncatingIfNeeded: pointer)
      if low & Frontier.rootBit != 0 {
        isRoot = true
        owner = min(owner, roots[Int(low & ~Frontier.rootBit)].owner)
      } else {
        let node = skeleton.nodes[Int(skeleton.owners[Int(low)])]
        let range = skeleton.range(of: Int(low), in: node)
        first = max(first, range.lowerBound)
        last = min(last, range.upperBound)
        owner = min(owner, node.owner)
      }
    }
    return NodeReference(
      block: MetadataBlock(blocks[index]), first: first, last: last, owner: owner, isRoot: isRoot)
  }
}
