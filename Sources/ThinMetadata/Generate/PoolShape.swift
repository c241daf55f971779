internal import PersistentData

/// What a generated pool looks like: devices made from scratch, and snapshots of each, which share
/// most of their mappings with it.
///
/// A device's mappings come in segments. A snapshot has the segments of its origin except for a few
/// random ones of its own, as if all of their data had been written anew.
package struct PoolShape: Hashable, Sendable {
  /// How data blocks are allocated.
  package enum DataOrder: String, CaseIterable, Sendable {
    /// One after the other, as in a new pool.
    case sequential
    /// A place of its own for each run, none next to the previous one, as in a fragmented pool.
    case permuted
  }

  package var origins: UInt64 = 1
  /// Of each origin.
  package var snapshots: UInt64 = 0
  /// Of each device.
  package var segments: UInt64 = 16
  /// Of each segment; a multiple of 252 fills leaves, fewer than 84 leave no leaf to be shared.
  package var mappings: UInt64 = 4 * 252
  /// Segments that each snapshot has of its own.
  package var divergedSegments: UInt64 = 0
  /// How many of a million blocks of a snapshot have changed since, at random, and are its own; a
  /// leaf with one of them is no longer shared.
  package var changedPerMillion: UInt64 = 0
  /// Blocks in a run of mappings, at least and at most.
  package var shortestRun: UInt64 = 1
  package var longestRun: UInt64 = 32
  /// Virtual blocks without mapping after one run in four.
  package var gap: UInt64 = 4
  package var dataOrder = DataOrder.sequential
  package var seed: UInt64 = 1
  /// Sectors in a data block.
  package var dataBlockSectors: UInt32 = 128

  package init() {}

  /// Origins and snapshots; meaningless while there is a `problem`.
  package var deviceCount: UInt64 { origins * (snapshots + 1) }
  package var mappingsPerDevice: UInt64 { segments * mappings }
  /// Segments with data blocks of their own.
  var distinctSegments: UInt64 { origins * (segments + snapshots * divergedSegments) }
  /// Data blocks that are mapped, except those that changed at random.
  var writtenDataBlocks: UInt64 { distinctSegments * mappings }
  /// Mappings in a full leaf.
  var leafMappings: UInt64 { UInt64(BTreeNode.maximumEntries(valueSize: Mapping.valueSize)) }
  /// Virtual blocks from the start of a segment to the start of the next.
  var segmentSpan: UInt64 { mappings + (mappings / shortestRun + 1) * gap }

  /// What is wrong with the numbers, as a sentence; `nil` when such a pool can be made.
  package var problem: String? {
    if shortestRun == 0 || shortestRun > longestRun {
      return "a run has at least 1 block, and the longest is no shorter than the shortest"
    }
    if divergedSegments > segments {
      return "a snapshot can't have more segments of its own than there are"
    }
    if !Superblock.isPossible(dataBlockSectors: dataBlockSectors) {
      return "the data block size is a multiple of 128 sectors, at most "
        + "\(Superblock.dataBlockSectorsMaximum)"
    }
    // With every number below this, few of the products can overflow.
    let factorLimit = UInt64(1) << 36
    guard [segments, mappings, longestRun, gap].allSatisfy({ $0 <= factorLimit }) else {
      return "there is a number above \(factorLimit)"
    }
    // Ids and times, of which each snapshot takes one, have 24 bits.
    guard snapshots <= DeviceDetails.deviceIDMaximum,
      let devices = PoolShape.product(origins, snapshots + 1),
      devices <= DeviceDetails.deviceIDMaximum
    else { return "there can be \(DeviceDetails.deviceIDMaximum) devices and snapshots at most" }
    if changedPerMillion > 1_000_000 { return "no more than 100 percent of the blocks can change" }
    let perOrigin = segments + snapshots * (changedPerMillion > 0 ? segments : divergedSegments)
    guard let distinct = PoolShape.product(max(1, origins), perOrigin, mappings),
      distinct <= PoolShape.dataBlockMaximum
    else { return "there can be \(PoolShape.dataBlockMaximum) mapped data blocks at most" }
    guard let gaps = PoolShape.product(mappings / shortestRun + 1, gap),
      let end = PoolShape.product(segments, gaps), end < UInt64.max / 4
    else { return "the virtual blocks of a device go beyond 2^62" }
    return nil
  }

  /// Bitmaps for so many data blocks, and for those that stay free, fit beside everything else.
  private static let dataBlockMaximum = MetadataBlock.maximumCount * UInt64(Bitmap.entryCount) / 4

  private static func product(_ factors: UInt64...) -> UInt64? {
    factors.reduce(1) { product, factor in
      let next = product?.multipliedReportingOverflow(by: factor)
      return next?.overflow == false ? next?.partialValue : nil
    }
  }
}
