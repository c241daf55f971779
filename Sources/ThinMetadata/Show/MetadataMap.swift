internal import PersistentData

/// The metadata device in cells of equal size, by what its blocks are.
package struct MetadataMap: Sendable {
  /// What a block is. Where a cell has several kinds, it shows the first of them that has most.
  package enum Kind: Int, CaseIterable, Sendable {
    case free, superblock, deviceList, details, mappingNode, mappingLeaf, dataSpaceMap
    case metadataSpaceMap, snapshot, damaged, unreached, old, unknown
  }

  /// The kind of each cell.
  package let cells: [Kind]
  package let blocksPerCell: UInt64
  package let blockCount: UInt64
  /// Blocks of each kind, by raw value.
  package let counts: [UInt64]

  package subscript(kind: Kind) -> UInt64 { counts[kind.rawValue] }

  /// `reader`: its usage has all claims, the space maps' too.
  init(_ reader: PoolReader, _ used: UsedBlocks, _ old: OldRoots?, isOfSnapshot: Bool) {
    let side = DataMap.maxOnSide
    blockCount = reader.usage.blockCount
    let size = max(1, (blockCount + UInt64(side * side) - 1) / UInt64(side * side))
    blocksPerCell = size
    var counts = [UInt64](repeating: 0, count: Kind.allCases.count)
    var cells: [Kind] = []
    var block: UInt64 = 0
    while block < blockCount {
      var own = [UInt64](repeating: 0, count: counts.count)
      let end = min(blockCount, block + size)
      while block < end {
        let kind = MetadataMap.kind(
          of: MetadataBlock(UInt32(block)), reader, used, old, isOfSnapshot: isOfSnapshot)
        own[kind.rawValue] += 1
        block += 1
      }
      for index in own.indices { counts[index] += own[index] }
      cells.append(MetadataMap.shown(own))
    }
    self.counts = counts
    self.cells = cells
  }

  /// Damage is seen wherever there is some; free blocks only where there is nothing else.
  private static func shown(_ counts: [UInt64]) -> Kind {
    if counts[Kind.damaged.rawValue] > 0 { return .damaged }
    var best = Kind.free
    for kind in Kind.allCases where kind != .free {
      let count = counts[kind.rawValue]
      if count > 0, best == .free || count > counts[best.rawValue] { best = kind }
    }
    return best
  }

  private static func kind(
    of block: MetadataBlock, _ reader: PoolReader, _ used: UsedBlocks, _ old: OldRoots?,
    isOfSnapshot: Bool
  ) -> Kind {
    typealias Structure = PoolReader.Structure
    if let user = reader.usage.user(of: block) {
      if reader.mappings.damaged.contains(block) { return .damaged }
      switch user {
      case Structure.superblock.structure: return .superblock
      case Structure.metadataSnapshot.structure: return .snapshot
      case Structure.topLevel.name:
        return reader.topLevel.holes[block] == nil ? .deviceList : .damaged
      case Structure.details.name:
        return reader.details.holes[block] == nil ? .details : .damaged
      case Structure.mapping.name:
        return reader.mappings.skeleton.index(of: block) == nil ? .mappingLeaf : .mappingNode
      default: return spaceMap(user)
      }
    }
    // What the other blocks of a running pool hold by now isn't known.
    if isOfSnapshot { return .unknown }
    if block.index < used.metadataCounts.count {
      guard let count = used.metadataCounts[block.index] else { return .unknown }
      if count > 0 { return .unreached }
    }
    return old?.lists.census.isReused(block) == true ? .old : .free
  }

  /// The parts of a space map are named after it.
  private static func spaceMap(_ user: String) -> Kind {
    user.hasPrefix(PoolReader.Structure.dataSpaceMap.name) ? .dataSpaceMap : .metadataSpaceMap
  }
}
