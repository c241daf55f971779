import PersistentData
import TestSupport
import ThinMetadata

/// One field of one block in use, given another value; the block's checksum is put right.
struct FieldChange {
  /// What kind of field and change it is: "superblock.time raised".
  let name: String
  let block: UInt64
  let kind: BlockKind
  let change: (inout MutableRawSpan) -> Void
}

/// Collects changes to one block.
struct FieldChanges {
  let block: UInt64
  let kind: BlockKind
  private(set) var all: [FieldChange] = []

  init(_ block: UInt64, _ kind: BlockKind) {
    self.block = block
    self.kind = kind
  }

  mutating func add(_ name: String, _ change: @escaping (inout MutableRawSpan) -> Void) {
    all.append(FieldChange(name: name, block: block, kind: kind, change: change))
  }

  mutating func set<Value>(_ name: String, _ field: Field<Value>, to value: Value) {
    add(name) { $0[field] = value }
  }

  /// Two changes, one up and one down, by a step that is small or large.
  mutating func shift<Value>(
    _ name: String, _ field: Field<Value>, from value: Value, _ random: inout SeededRandom
  ) {
    let step = Value(clamping: [1, 2, 7, 1_000, 100_000_000][random.number(0..<5)])
    let higher = value.addingReportingOverflow(step)
    if !higher.overflow { set("\(name) raised", field, to: higher.partialValue) }
    if value > 0 { set("\(name) lowered", field, to: value - min(step, value)) }
  }
}

extension MetadataImage {
  /// Every field of every kind of block in use, some of each, with values drawn at random.
  func fieldChanges(_ random: inout SeededRandom) -> [FieldChange] {
    var changes = superblockChanges(0, "superblock", &random)
    if superblock.heldRoot != 0 {
      changes += superblockChanges(superblock.heldRoot, "metadata snapshot", &random)
    }
    let sharing = SharingModel(self)
    for (role, blocks) in treeBlocks {
      for _ in 0..<3 {
        let block = blocks[random.number(0..<blocks.count)]
        changes += nodeChanges(block, role, sharing, &random)
      }
    }
    changes += bitmapChanges(dataMap, "data bitmap", &random)
    changes += bitmapChanges(metadataMap, "metadata bitmap", &random)
    changes += metadataIndexChanges(&random)
    return changes
  }

  /// The nodes of all trees by role, each once, ordered.
  private var treeBlocks: [(role: String, blocks: [UInt64])] {
    var views = [superblock]
    if superblock.heldRoot != 0 { views.append(withBlock(superblock.heldRoot) { Superblock($0) }) }
    var roles: [String: Set<UInt64>] = [:]
    var seen: Set<UInt64> = []
    func visit(_ block: UInt64, _ tree: String, _ leafBody: (ImageNode) -> Void = { _ in }) {
      guard seen.insert(block).inserted else { return }
      let node = node(block)
      roles["\(tree) \(node.isLeaf ? "leaf" : "internal node")", default: []].insert(block)
      if node.isLeaf { return leafBody(node) }
      for child in node.values { visit(child, tree, leafBody) }
    }
    for view in views {
      visit(view.detailsRoot, "details")
      var roots: [UInt64] = []
      visit(view.mappingRoot, "top-level") { roots += $0.values }
      for root in roots { visit(root, "mapping") }
    }
    visit(dataMap.root.bitmapRoot, "index")
    visit(dataMap.root.refCountRoot, "large counts")
    visit(metadataMap.root.refCountRoot, "large counts")
    return roles.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sorted()) }
  }
}

// MARK: The superblock and its copy

extension MetadataImage {
  private func superblockChanges(
    _ block: UInt64, _ name: String, _ random: inout SeededRandom
  ) -> [FieldChange] {
    typealias Layout = Superblock.Layout
    let old = withBlock(block) { Superblock($0) }
    var changes = FieldChanges(block, .thinSuperblock)
    changes.set("\(name).flags, needs_check", Layout.flags, to: old.flags ^ 1)
    changes.set("\(name).flags, unknown", Layout.flags, to: old.flags | 4)
    changes.shift("\(name).block", Layout.block, from: old.block, &random)
    changes.set("\(name).uuid", Layout.uuidLow, to: random.next())
    changes.set("\(name).uuid", Layout.uuidHigh, to: random.next())
    changes.shift("\(name).magic", Layout.magic, from: old.magic, &random)
    changes.set("\(name).version 1", Layout.version, to: 1)
    changes.set("\(name).version", Layout.version, to: random.number(3...UInt32.max))
    let room = Mapping.timeMaximum
    changes.set("\(name).time raised", Layout.time, to: random.number(old.time + 1...room))
    changes.set("\(name).time beyond 24 bits", Layout.time, to: random.number(room + 1 ... .max))
    if old.time > 0 { changes.set("\(name).time lowered", Layout.time, to: old.time - 1) }
    changes.shift("\(name).transaction", Layout.transactionID, from: old.transactionID, &random)
    changes.shift("\(name).held_root", Layout.heldRoot, from: old.heldRoot, &random)
    changes.shift("\(name).mapping_root", Layout.mappingRoot, from: old.mappingRoot, &random)
    changes.shift("\(name).details_root", Layout.detailsRoot, from: old.detailsRoot, &random)
    changes.set(
      "\(name).data_block_size, possible", Layout.dataBlockSectors, to: old.dataBlockSectors + 128)
    changes.set(
      "\(name).data_block_size", Layout.dataBlockSectors,
      to: old.dataBlockSectors + random.number(1...127))
    changes.shift(
      "\(name).metadata_block_size", Layout.metadataBlockSectors, from: old.metadataBlockSectors,
      &random)
    changes.shift(
      "\(name).metadata_nr_blocks", Layout.metadataBlockCount, from: old.metadataBlockCount,
      &random)
    changes.set("\(name).compat_flags", Layout.compatibleFlags, to: 1)
    changes.set("\(name).compat_ro_flags", Layout.readOnlyCompatibleFlags, to: 1)
    changes.set("\(name).incompat_flags", Layout.incompatibleFlags, to: 1)
    let spare = random.number(Superblock.Layout.size..<MetadataBlock.size)
    changes.set("\(name), spare", Field<UInt8>(at: spare), to: random.number(1...255))
    rootChanges(old.dataSpaceMap, Layout.dataSpaceMap, "\(name).data_sm", &changes, &random)
    rootChanges(
      old.metadataSpaceMap, Layout.metadataSpaceMap, "\(name).metadata_sm", &changes, &random)
    return changes.all
  }

  private func rootChanges(
    _ root: SpaceMapRoot, _ offset: Int, _ name: String, _ changes: inout FieldChanges,
    _ random: inout SeededRandom
  ) {
    typealias Layout = SpaceMapRoot.Layout
    let fields = [
      ("nr_blocks", Layout.blockCount, root.blockCount),
      ("nr_allocated", Layout.allocatedCount, root.allocatedCount),
      ("bitmap_root", Layout.bitmapRoot, root.bitmapRoot),
      ("ref_count_root", Layout.refCountRoot, root.refCountRoot),
    ]
    for (field, place, value) in fields {
      changes.shift("\(name).\(field)", place.shifted(by: offset), from: value, &random)
    }
    let spare = random.number(Layout.size..<Layout.reservedSize)
    changes.set("\(name), spare", Field<UInt8>(at: offset + spare), to: 255)
  }
}
