internal import PersistentData

/// Data that is gone, or may be, though the metadata that leads to it is right.
///
/// A data block belongs to one virtual block, mapped at one time, however many devices share it. If
/// it is mapped in two ways, it was allocated again while it was in use: what was written for the
/// earlier time has been overwritten for the later one; where the times are equal, nothing tells
/// which. And a data block that is mapped but free in the data space map may have been discarded,
/// or allocated to a device that is gone again.
///
/// Kernels with a known fault (CVE-2026-46107) make such pools: they count the children of a node
/// too low when the root of a tree has one entry and is replaced by its child, which a snapshot
/// shares. Sound pools have neither.
///
/// Source: Linux, drivers/md/persistent-data/dm-btree-remove.c, `rebalance_children`.
package struct OverwrittenData: Sendable {
  /// A device with such data.
  package struct Device: Hashable, Sendable {
    package let id: UInt64
    /// Virtual blocks, ascending, whose data has been overwritten.
    package fileprivate(set) var certain: [ClosedRange<UInt64>] = []
    /// Virtual blocks, ascending, whose data may have been overwritten; none of the certain ones.
    package fileprivate(set) var possible: [ClosedRange<UInt64>] = []

    /// Nothing yet.
    package init(id: UInt64) { self.id = id }
  }

  /// The most differences that are looked at one by one.
  private static let maxDifferences = 1 << 16
  /// The most ranges that are reported, over all devices, at 16 bytes each.
  private static let maxRanges = 1 << 20

  /// Ascending by id. The metadata snapshot's own devices are not among them.
  package private(set) var devices: [Device] = []
  /// Whether no others can be affected: all stored counts could be read, and there is not too much
  /// to report.
  package private(set) var isComplete = true
  /// Whether mappings may be wrong instead, and lead to data of others: few data blocks are mapped
  /// in two ways, and no fewer references to others are missing.
  package private(set) var mayBeWrongMappings = false
  /// Mappings, by the block of their leaf, whose data has been overwritten for certain: ranges of
  /// virtual blocks, ascending.
  let certain: [MetadataBlock: [ClosedRange<UInt64>]]
  /// Whether these are all such mappings, as far as leaves can be read.
  private(set) var hasAllCertain = true

  /// Nothing.
  package init() { certain = [:] }

  /// Looks for such data if stored counts differ from what was counted, or a device takes for its
  /// own what other leaves map too: without either, none could be seen without a second look at all
  /// mappings.
  ///
  package init(_ pool: PoolReading) {
    let (reader, counts) = (pool.reader, pool.counts.references)
    // If all differences are known, they need not be looked for again.
    let differences =
      pool.dataDifferences.flatMap { $0.isComplete ? $0 : nil }
      ?? OverwrittenData.differences(reader, counts)
    let free = differences.all.filter { $0.stored == 0 }.map(\.blocks)
    guard differences.hasAny || pool.counts.sharedTimes?.hasRivals == true else {
      self.init()
      return
    }
    let search = VictimSearch(
      reader, counts, free: free, missing: differences.missingReferences)
    self.init(search.victims, in: reader)
    mayBeWrongMappings = search.hasDoubts && !devices.isEmpty
    hasAllCertain = search.isComplete
    isComplete = isComplete && differences.isComplete && search.isComplete
  }

  /// All differences; if there are too many, those of data blocks that are mapped and free.
  private static func differences(
    _ reader: PoolReader, _ counts: RefCounts
  ) -> CountDifferences {
    // The blocks of the space map have been claimed elsewhere; here they are read.
    var usage = BlockUsage(blockCount: reader.usage.blockCount)
    var findings = Findings()
    let map = StoredSpaceMap(
      PoolReader.Structure.dataSpaceMap, root: reader.superblock.dataSpaceMap,
      index: .tree, in: reader.file, usage: &usage, findings: &findings)
    let all = CountDifferences(
      map, with: counts, atMost: OverwrittenData.maxDifferences, takingAll: true)
    if all.isComplete { return all }
    return CountDifferences(map, with: counts, atMost: VictimSearch.limit, takingAll: true) {
      $0 == 0
    }
  }

  private init(_ victims: [VictimSearch.Victim], in reader: PoolReader) {
    var leaves: [MetadataBlock: Device] = [:]
    for victim in victims.sorted(by: { $0.keys.lowerBound < $1.keys.lowerBound }) {
      leaves[victim.leaf, default: Device(id: 0)].append([victim.keys], victim.isCertain)
    }
    certain = leaves.mapValues(\.certain).filter { !$0.value.isEmpty }
    guard !leaves.isEmpty else { return }

    let marked = OverwrittenData.nodes(above: Set(leaves.keys), in: reader.mappings.skeleton)
    var room = OverwrittenData.maxRanges
    for device in reader.devices {
      guard let root = device.root, marked.contains(root) else { continue }
      var result = Device(id: device.id)
      reader.mappings.forEachBottom(below: root, entering: marked.contains) {
        guard case .leaf(let block, let keys?) = $0, let leaf = leaves[block] else { return }
        result.append(leaf.certain.common(with: [keys]), true)
        result.append(leaf.possible.common(with: [keys]), false)
      }
      room -= result.certain.count + result.possible.count
      guard room >= 0 else {
        isComplete = false
        return
      }
      if !result.certain.isEmpty || !result.possible.isEmpty { devices.append(result) }
    }
  }

  /// These leaves, and all nodes above them.
  private static func nodes(
    above leaves: Set<MetadataBlock>, in skeleton: TreeSkeleton
  ) -> Set<MetadataBlock> {
    var marked = leaves
    // A node stands after all its parents, so going backwards meets children first.
    for node in skeleton.nodes.reversed()
    where node.entries.contains(where: { marked.contains(MetadataBlock(skeleton.children[$0])) }) {
      marked.insert(node.block)
    }
    return marked
  }
}

extension PoolReading {
  /// Whether, after a check of the space maps, it is worthwhile to look for overwritten data.
  var mayHaveOverwrittenData: Bool {
    let signs: [Rule] = [.refCountTooLow, .refCountTooHigh, .blockLeaked, .countsNotJudged]
    return counts.sharedTimes?.hasRivals == true
      || signs.contains { reader.findings.counts[$0] != nil }
  }
}

extension OverwrittenData.Device {
  /// Adds ranges, all above those that are there.
  fileprivate mutating func append(_ ranges: [ClosedRange<UInt64>], _ isCertain: Bool) {
    if isCertain {
      certain.append(joining: ranges)
    } else {
      possible.append(joining: ranges)
    }
  }
}

extension [ClosedRange<UInt64>] {
  /// Appends ranges above those that are there; one that directly follows the last is joined to it.
  fileprivate mutating func append(joining ranges: [ClosedRange<UInt64>]) {
    for range in ranges {
      if let last, last.upperBound &+ 1 == range.lowerBound {
        self[count - 1] = last.lowerBound...range.upperBound
      } else {
        append(range)
      }
    }
  }
}
