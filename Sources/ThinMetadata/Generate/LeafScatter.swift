package import PersistentData

/// Swaps the leaves of all mapping trees at random: metadata like that of an aged pool, in which
/// consecutive leaves don't stand side by side.
///
/// Leaves change places with leaves that have as many references, so the space maps stay right.
/// Memory holds the internal nodes and some bytes for each leaf; the leaves are moved one by one.
/// Until that is done, the pool is not sound.
package struct LeafScatter {
  private let file: BlockFile
  /// Where the leaf of each block goes, by block; 0 for a block that isn't a leaf.
  private var targets: [UInt32]
  /// Leaves, grouped by the number of references to them: that in the upper half, the block in
  /// the lower.
  private var leaves: [UInt64] = []
  /// Nodes that refer to leaves: the lowest internal nodes, and the leaves of the tree of devices.
  private var parents: [MetadataBlock] = []

  /// Scatters the leaves of the sound pool in `file`.
  package static func scatter(_ file: BlockFile, seed: UInt64) throws(WriteError) {
    do throws(IOError) {
      var scatter = try LeafScatter(file)
      scatter.draw(seed)
      try scatter.moveLeaves()
      try scatter.redirectParents()
      try file.flush()
    } catch {
      throw .output(error)
    }
  }

  private init(_ file: BlockFile) throws(IOError) {
    self.file = file
    let superblock = try file.withBlock(.superblock) { Superblock($0) }
    let reader = PoolReader(
      file, superblock, choosing: RootChoice(), findings: Findings())
    precondition(reader.findings.isEmpty, "only a sound pool can be scattered")
    targets = Array(repeating: 0, count: Int(reader.usage.blockCount))
    parents = LeafScatter.topLevelLeaves(file, superblock)
    for root in reader.mappings.roots where reader.mappings.height(of: root.block) == 0 {
      add(root.block, reader.usage.references)
    }
    let skeleton = reader.mappings.skeleton
    for node in skeleton.nodes where node.height == 1 {
      parents.append(node.block)
      for entry in node.entries {
        add(MetadataBlock(skeleton.children[entry]), reader.usage.references)
      }
    }
  }

  private static func topLevelLeaves(
    _ file: BlockFile, _ superblock: Superblock
  ) -> [MetadataBlock] {
    var usage = BlockUsage(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    var findings = Findings()
    var walk = TreeWalk(
      PoolReader.Structure.topLevel, rootPointers: [(superblock.mappingRoot, 0)], in: file,
      usage: &usage, findings: &findings)
    return walk.readLeaves(findings: &findings) { LeafList() }.flatMap(\.blocks).sorted()
  }

  /// Adds a leaf, once.
  private mutating func add(_ leaf: MetadataBlock, _ references: RefCounts) {
    guard targets[leaf.index] == 0 else { return }
    targets[leaf.index] = leaf.number
    leaves.append(references[UInt64(leaf.number)] << 32 | UInt64(leaf.number))
  }

  /// Draws a new place for each leaf.
  private mutating func draw(_ seed: UInt64) {
    leaves.sort()
    var random = SplitMix(seed: seed)
    var start = 0
    while start < leaves.count {
      var end = start + 1
      while end < leaves.count, leaves[end] >> 32 == leaves[start] >> 32 { end += 1 }
      var places = leaves[start..<end].map { UInt32(truncatingIfNeeded: $0) }
      for last in places.indices.reversed() where last > 0 {
        places.swapAt(last, Int(random.number(below: UInt64(last) + 1)))
      }
      for (leaf, place) in zip(leaves[start..<end], places) {
        targets[Int(UInt32(truncatingIfNeeded: leaf))] = place
      }
      start = end
    }
  }

  /// Follows each leaf to its place, the leaf it finds there to its own, and so on, back to the
  /// first.
  private func moveLeaves() throws(IOError) {
    var isMoved = [Bool](repeating: false, count: targets.count)
    var held = BlockBuffer(blocks: 1)
    var other = BlockBuffer(blocks: 1)
    for leaf in leaves {
      let first = UInt32(truncatingIfNeeded: leaf)
      guard !isMoved[Int(first)], targets[Int(first)] != first else { continue }
      try held.read(file, from: UInt64(first), count: 1)
      var block = first
      repeat {
        isMoved[Int(block)] = true
        block = targets[Int(block)]
        if block != first { try other.read(file, from: UInt64(block), count: 1) }
        held.edit(0) { bytes in
          bytes[BTreeNode.Layout.block] = UInt64(block)
          BlockKind.btreeNode.seal(&bytes)
        }
        try held.write(file, to: UInt64(block), count: 1)
        swap(&held, &other)
      } while block != first
    }
  }

  private func redirectParents() throws(IOError) {
    for parent in parents {
      try file.editBlock(parent, sealedAs: .btreeNode) { bytes in
        let first = BTreeNode.Layout.size + 8 * Int(bytes[BTreeNode.Layout.maxEntries])
        for entry in 0..<Int(bytes[BTreeNode.Layout.entryCount]) {
          let pointer = Field<UInt64>(at: first + BTreeNode.pointerSize * entry)
          let target = targets[Int(bytes[pointer])]
          if target != 0 { bytes[pointer] = UInt64(target) }
        }
      }
    }
  }
}

/// Notes where the leaves of a tree are.
private struct LeafList: LeafVisitor {
  var blocks: [MetadataBlock] = []

  mutating func visit(_ leaf: BTreeNode, _ reference: NodeReference) {
    blocks.append(reference.block)
  }
}
