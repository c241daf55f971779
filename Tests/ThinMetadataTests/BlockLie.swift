import PersistentData
import TestSupport
import ThinMetadata

/// A block in use with another content under a checksum that fits.
struct BlockLie: CustomStringConvertible {
  /// How the content came about.
  enum Way: CaseIterable {
    /// A write was lost: what a superseded block of the same kind holds.
    case older
    /// A write went astray: another block in use, number and all.
    case misplaced
    /// One bit changed before the checksum was made.
    case memoryBit
    /// Eight bytes changed before the checksum was made.
    case field
  }

  let block: UInt64
  let way: Way
  /// The first byte that was changed, of one bit or field.
  private(set) var byte: Int?
  let damaged: MetadataImage

  var description: String {
    "block \(block), \(way)" + (byte.map { " in byte \($0)" } ?? "")
  }

  /// Draws one; `nil` where the image has nothing to make it of.
  init?(
    _ image: MetadataImage, _ blocks: LiableBlocks, _ random: inout SeededRandom,
    among ways: [Way] = Way.allCases
  ) {
    guard let block = blocks.random(&random), let way = ways.randomElement(using: &random),
      let kind = image.withBlock(block, { BlockKind(of: $0) })
    else { return nil }
    var damaged = image
    switch way {
    case .older:
      guard let old = blocks.superseded(like: block, in: image).randomElement(using: &random)
      else { return nil }
      damaged.copy(old, to: block)
      damaged.set(block, as: kind, BTreeNode.Layout.block, to: block)
    case .misplaced:
      guard block != 0, let other = blocks.random(&random), other != 0 else { return nil }
      damaged.copy(other, to: block)
    case .memoryBit:
      let byte = BlockLie.place(in: block, kind, image, &random)
      self.byte = byte
      let field = Field<UInt8>(at: byte)
      let bit: UInt8 = 1 << random.number(0..<8)
      damaged.set(block, as: kind, field, to: image[block, field] ^ bit)
    case .field:
      let byte = min(BlockLie.place(in: block, kind, image, &random), MetadataBlock.size - 8)
      self.byte = byte
      let values: [UInt64] = [
        0, 1, block, 1 << 24 - 1, 1 << 24, 1 << 40, 1 << 63,
        random.number(0..<UInt64(image.blockCount)),
        random.number(0..<UInt64(image.blockCount)) << 24,
      ]
      damaged.set(block, as: kind, Field<UInt64>(at: byte), to: values[random.number(0..<9)])
    }
    guard damaged.differingBlocks(image) == [block] else { return nil }
    self.block = block
    self.way = way
    self.damaged = damaged
  }

  /// A byte that means something.
  private static func place(
    in block: UInt64, _ kind: BlockKind, _ image: MetadataImage, _ random: inout SeededRandom
  ) -> Int {
    switch kind {
    case .thinSuperblock: return random.number(4..<Superblock.Layout.size)
    case .btreeNode:
      let node = image.node(block)
      let keys = 8 * node.keys.count
      let values = node.valueSize * node.keys.count
      let place = random.number(0..<24 + keys + values)
      if place < 24 { return 4 + place }
      if place < 24 + keys { return BTreeNode.Layout.size + place - 24 }
      return node.valueOffset(0) + place - 24 - keys
    default: return random.number(8..<1040)
    }
  }
}

/// The blocks of a pool by what they are, of which any may lie.
struct LiableBlocks {
  private let byRole: [[UInt64]]
  private let inUse: Set<UInt64>

  init(_ image: MetadataImage) {
    let superblock = image.superblock
    let trees = image.devices.map(\.root)
    let maps = [image.dataMap, image.metadataMap]
    let roles: [[UInt64]] = [
      [0],
      image.nodes(below: superblock.mappingRoot).map(\.block),
      image.nodes(below: superblock.detailsRoot).map(\.block),
      trees.flatMap { image.internalNodes(below: $0) }.map(\.block),
      trees.flatMap { image.leaves(below: $0) }.map(\.block),
      maps.flatMap { $0.entries.map(\.entry.block) }
        + [superblock.dataSpaceMap, superblock.metadataSpaceMap].flatMap {
          [$0.bitmapRoot, $0.refCountRoot]
        },
    ]
    byRole = roles.map { Set($0).sorted() }.filter { !$0.isEmpty }
    inUse = Set(byRole.joined())
  }

  /// Another block of the same role; `nil` where there is none.
  func other(than block: UInt64, _ random: inout SeededRandom) -> UInt64? {
    byRole.first { $0.contains(block) }?.filter { $0 != block }.randomElement(using: &random)
  }

  /// Each role is as likely as any other.
  func random(_ random: inout SeededRandom) -> UInt64? {
    byRole.randomElement(using: &random)?.randomElement(using: &random)
  }

  /// Blocks that are free and hold the same kind of thing.
  func superseded(like block: UInt64, in image: MetadataImage) -> [UInt64] {
    let kind = image.withBlock(block) { BlockKind(of: $0) }
    let isNode = kind == .btreeNode
    let node = isNode ? image.node(block) : nil
    return (1..<UInt64(image.blockCount)).filter { other in
      guard !inUse.contains(other), image.withBlock(other, { BlockKind(of: $0) }) == kind
      else { return false }
      guard isNode else { return true }
      let old = image.node(other)
      return old.valueSize == node?.valueSize && old.isLeaf == node?.isLeaf
    }
  }
}
