internal import PersistentData

/// How today's mappings relate to those of an old tree: who has its data blocks now, and which
/// devices will share them with the recovered device.
struct LiveSharing: Sendable {
  private let times: SharedTimes

  /// Reads the leaves of all mapping trees and notes in `fates` what they map.
  ///
  /// A mapping that is the same today, data block and time included, has the same data if its time
  /// is before that of the old state: no mapping has been made with that time since, so the block
  /// was not freed. `timeFloor`: that state's time, or a lower one. `ownTrees`: later versions of
  /// the old tree, where a mapping that is the same has the same data whatever its time.
  init(
    _ reader: PoolReader, _ fates: DataBlockFates, timeFloor: UInt32, ownTrees: [MetadataBlock]
  ) {
    var ownLeaves: Set<MetadataBlock> = []
    for tree in ownTrees {
      reader.mappings.forEachBottom(below: tree) {
        if case .leaf(let block, _) = $0 { ownLeaves.insert(block) }
      }
    }
    let own = ownLeaves
    let limits = reader.limits
    var walk = reader.mappings
    var findings = Findings()
    let visitors = walk.readLeaves(findings: &findings) {
      Visitor(fates: fates, leaf: MappingLeaf(limits), timeFloor: timeFloor, ownLeaves: own)
    }
    let leaves: [MetadataBlock: UInt32] = visitors.reduce(into: [:]) { all, visitor in
      all.merge(visitor.timesAfter) { max($0, $1) }
    }
    times = SharedTimes(leaves, in: reader.mappings.skeleton)
  }

  /// The devices, with times that make the kernel copy what they share now before it writes to it.
  func devicesThatCopy(
    _ devices: [(header: DeviceHeader, root: MetadataBlock?)]
  ) -> [(header: DeviceHeader, root: MetadataBlock?)] {
    devices.map { device in
      var device = device
      let time = device.root.map { times[below: $0] } ?? 0
      device.header.details.snapshottedTime = max(device.header.details.snapshottedTime, time)
      return device
    }
  }

  private struct Visitor: LeafVisitor {
    let fates: DataBlockFates
    var leaf: MappingLeaf
    let timeFloor: UInt32
    let ownLeaves: Set<MetadataBlock>
    var timesAfter: [MetadataBlock: UInt32] = [:]
    private var findings = Findings()

    init(
      fates: DataBlockFates, leaf: MappingLeaf, timeFloor: UInt32, ownLeaves: Set<MetadataBlock>
    ) {
      self.fates = fates
      self.leaf = leaf
      self.timeFloor = timeFloor
      self.ownLeaves = ownLeaves
    }

    mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
      leaf.read(node, reference, findings: &findings)
      let isOwn = ownLeaves.contains(reference.block)
      let latest = fates.note(leaf.runs, of: reference.owner) { isOwn || $0 < timeFloor }
      if let latest { timesAfter[reference.block] = latest + 1 }
    }
  }
}

/// Which data blocks the data space map says are in use; for blocks asked for in ascending order.
final class StoredDataCounts {
  private let map: StoredSpaceMap
  /// The bitmap read last, and its words; `nil` when it can't be read.
  private var place = -1
  private var words: [UInt64]?

  init(_ reader: PoolReader) {
    var usage = BlockUsage(blockCount: reader.usage.blockCount)
    var findings = Findings()
    map = StoredSpaceMap(
      PoolReader.Structure.dataSpaceMap, root: reader.superblock.dataSpaceMap,
      index: .tree, in: reader.file, usage: &usage, findings: &findings)
    file = reader.file
  }

  private let file: BlockFile

  /// `nil` where the bitmap can't be read, or there is none.
  func isInUse(_ block: UInt64) -> Bool? {
    let wanted = Int(block / UInt64(Bitmap.entryCount))
    if wanted != place {
      place = wanted
      words = wanted < map.entries.count ? map.entries[wanted].flatMap { read($0) } : nil
    }
    let entry = Int(block % UInt64(Bitmap.entryCount))
    return words.map {
      Bitmap.count(entry % Bitmap.entriesPerWord, in: $0[entry / Bitmap.entriesPerWord]) > 0
    }
  }

  private func read(_ entry: IndexEntry) -> [UInt64]? {
    guard let block = MetadataBlock(pointer: entry.block, count: file.blockCount) else {
      return nil
    }
    return try? file.withBlock(block) { bytes in
      guard BlockKind(of: bytes) == .bitmap, Bitmap(bytes).block == entry.block else { return nil }
      let bitmap = Bitmap(bytes)
      return (0..<Bitmap.wordCount).map { bitmap.word($0) }
    }
  }
}
