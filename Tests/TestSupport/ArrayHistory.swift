import PersistentData

/// Does with an array what a kernel does, transaction by transaction, so that its device gets to
/// hold as many old states as there is room for. The array's index is one leaf.
///
/// A transaction writes nothing over what was in use before it. It takes free blocks as it goes
/// round the device, or from the start again, as older kernels do after each transaction, and all
/// do when the device is opened.
package struct ArrayHistory<Value>
where Value: FixedWidthInteger & BitwiseCopyable & Sendable {
  package private(set) var leaf: MetadataBlock
  /// By place.
  package private(set) var values: [[Value]]

  private let file: BlockFile
  private var blocks: [MetadataBlock]
  private var free: Set<MetadataBlock>
  private var freed: Set<MetadataBlock> = []
  /// What every transaction moves that has nothing to do with the array.
  private var others: [MetadataBlock] = []
  private var cursor: UInt32 = 1
  private let original: Set<MetadataBlock>

  /// `leaf`: of a sound array, whose blocks get these values.
  package init(
    _ file: BlockFile, leaf: MetadataBlock, inUse: [MetadataBlock], values: [[Value]]
  ) throws {
    self.file = file
    self.leaf = leaf
    self.values = values
    blocks = try file.withBlock(leaf) { bytes in
      let node = BTreeNode(bytes)
      return (0..<node.entryCount).map { MetadataBlock(UInt32(node.value($0))) }
    }
    original = Set(blocks + [leaf])
    free = Set((1..<UInt32(file.blockCount)).map { MetadataBlock($0) }).subtracting(inUse)
    for place in blocks.indices { try write(place) }
  }

  /// `restarts`: whether the next transaction takes the first blocks that are free.
  package mutating func commit(restarts: Bool) {
    free.formUnion(freed)
    freed = []
    if restarts { cursor = 1 }
  }

  /// Changes some places, once in a transaction.
  package mutating func change(_ changed: [Int: [Value]]) throws {
    guard !changed.isEmpty else { return }
    for (place, new) in changed.sorted(by: { $0.key < $1.key }) {
      values[place] = new
      blocks[place] = move(blocks[place])
      try write(place)
      // The leaf moves along with the first block.
      if place == changed.keys.min() { leaf = move(leaf) }
    }
    let node = BTreeNode.make(
      .leaf, leaf, keys: blocks.indices.map { UInt64($0) },
      values: blocks.map { UInt64($0.number) })
    try node.write(file, to: UInt64(leaf.number), count: 1)
  }

  /// Moves what else there is: `count` blocks.
  package mutating func moveOthers(_ count: Int) throws {
    let old = others
    others = (0..<count).map { _ in allocate() }
    freed.formUnion(old)
    for block in others {
      try BlockBuffer(zeroedBlocks: 1).write(file, to: UInt64(block.number), count: 1)
    }
  }

  /// Has the superblock lead to the array, and the space map count its blocks and no others of it.
  package func finish(root: Field<UInt64>, _ kind: BlockKind, bitmap: MetadataBlock) throws {
    try file.editBlock(.superblock, sealedAs: kind) { $0[root] = UInt64(leaf.number) }
    try file.editBlock(bitmap, sealedAs: .bitmap) { bytes in
      for block in original.union(blocks + [leaf]) {
        let isInUse = block == leaf || blocks.contains(block)
        let word = Bitmap.word(Int(block.number) / Bitmap.entriesPerWord)
        let shift = UInt64(block.number) % UInt64(Bitmap.entriesPerWord) * 2
        // The high bit of a count is stored in the lower place.
        bytes[word] = bytes[word] & ~(3 << shift) | (isInUse ? 2 << shift : 0)
      }
    }
  }

  private mutating func move(_ block: MetadataBlock) -> MetadataBlock {
    freed.insert(block)
    return allocate()
  }

  private mutating func allocate() -> MetadataBlock {
    let end = UInt32(file.blockCount)
    let number =
      (cursor..<end).first { free.contains(MetadataBlock($0)) }
      ?? (1..<cursor).first { free.contains(MetadataBlock($0)) }
    guard let number else { preconditionFailure("the device is too small for its history") }
    cursor = number + 1
    free.remove(MetadataBlock(number))
    return MetadataBlock(number)
  }

  private func write(_ place: Int) throws {
    let block = blocks[place]
    let values = values[place]
    let buffer = BlockBuffer(zeroedBlocks: 1)
    buffer.edit(0) { bytes in
      bytes[ArrayBlock.Layout.maxEntries] = UInt32(
        ArrayBlock.capacity(valueSize: Value.bitWidth / 8))
      bytes[ArrayBlock.Layout.entryCount] = UInt32(values.count)
      bytes[ArrayBlock.Layout.valueSize] = UInt32(Value.bitWidth / 8)
      bytes[ArrayBlock.Layout.block] = UInt64(block.number)
      for (index, value) in values.enumerated() { bytes[ArrayBlock.field(index)] = value }
      BlockKind.array.seal(&bytes)
    }
    try buffer.write(file, to: UInt64(block.number), count: 1)
  }
}

extension ArrayHistory {
  /// Transactions as they may come: `changed` gives a block's new values, `nil` if it stays.
  package mutating func live(
    _ random: inout SeededRandom, _ changed: (inout SeededRandom, [Value]) -> [Value]?
  ) throws {
    let restart = [1, 20, 1000].randomElement(using: &random) ?? 1
    let busy = [2, 3, 10].randomElement(using: &random) ?? 2
    for _ in 0..<random.number(10..<80) {
      commit(restarts: random.number(0..<restart) == 0)
      if random.number(0..<2) == 0 {
        var changes: [Int: [Value]] = [:]
        for place in values.indices where random.number(0..<busy) < 2 {
          changes[place] = changed(&random, values[place])
        }
        try change(changes)
      }
      try moveOthers(random.number(2..<6))
    }
  }
}
