internal import PersistentData

/// What the leaves of all mapping trees tell, each read once: who maps each data block, how old
/// mappings are, and how many pieces a device is in.
struct SharingSurvey {
  /// The most devices that are told apart, those that map most; the rest count as one.
  static let maxTold = 1024

  /// Members of the sets: places in the reader's devices.
  let told: [Int]
  /// The member that stands for all other devices, and the one for the metadata snapshot.
  var others: Int { told.count }
  var snapshot: Int { told.count + 1 }

  let sets: SharerSets
  /// By data block; 0 where nothing maps it.
  let table: BlockTable<UInt16>
  /// One past the highest data block that is mapped.
  let end: UInt64
  /// Mappings by time, for the sharers of leaves.
  private(set) var times: [TimeKey: UInt64] = [:]
  private(set) var pieces: PieceCounts

  struct TimeKey: Hashable {
    let set: UInt16
    let time: UInt32
  }

  init(_ reader: inout PoolReader) {
    let order = reader.devices.indices.sorted { one, other in
      let (a, b) = (reader.devices[one], reader.devices[other])
      return (b.details?.mappedBlocks ?? 0, a.id) < (a.details?.mappedBlocks ?? 0, b.id)
    }
    told = order.prefix(SharingSurvey.maxTold).sorted()
    var sets = SharerSets(memberCount: told.count + 2)
    let labels = SharingSurvey.labels(reader, told, &sets)
    let sharers = BlockSharers(sets, dataBlockCount: reader.limits.dataBlockCount)
    let limits = reader.limits
    // What is wrong with the leaves was reported when blocks were counted.
    var findings = Findings()
    let walk = reader.mappings
    let visitors = reader.mappings.readLeaves(findings: &findings) {
      Visitor(walk: walk, labels: labels, sharers: sharers, leaf: MappingLeaf(limits))
    }
    pieces = PieceCounts(leafCount: walk.leafCount)
    for var visitor in visitors {
      visitor.flush()
      times.merge(visitor.times, uniquingKeysWith: +)
      pieces.add(visitor.pieces)
    }
    pieces.sum(walk)
    (self.sets, table, end) = sharers.result
  }

  /// The sharers of leaves, by block.
  private static func labels(
    _ reader: PoolReader, _ told: [Int], _ sets: inout SharerSets
  ) -> LeafLabels {
    var members = [Int](repeating: told.count, count: reader.devices.count)
    for (member, device) in told.enumerated() { members[device] = member }
    var roots: [(block: MetadataBlock, label: UInt32)] = []
    for (device, member) in zip(reader.devices, members) {
      if let root = device.root { roots.append((root, UInt32(sets.single(member)))) }
    }
    for root in reader.heldDevices.compactMap(\.root) {
      roots.append((root, UInt32(sets.single(told.count + 1))))
    }
    return LeafLabels(
      reader.mappings, roots, blockCount: reader.usage.blockCount
    ) { UInt32(sets.union(UInt16($0), UInt16($1))) }
  }

  private struct Visitor: LeafVisitor {
    /// Runs that are noted at once.
    private static let flushCount = 8192

    let walk: TreeWalk
    let labels: LeafLabels
    let sharers: BlockSharers
    var leaf: MappingLeaf
    var runs: [BlockSharers.Run] = []
    var times: [TimeKey: UInt64] = [:]
    var pieces: [PieceCounts.Leaf] = []
    private var findings = Findings()

    init(walk: TreeWalk, labels: LeafLabels, sharers: BlockSharers, leaf: MappingLeaf) {
      self.walk = walk
      self.labels = labels
      self.sharers = sharers
      self.leaf = leaf
    }

    mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
      leaf.read(node, reference, findings: &findings)
      // Labels come from `SharerSets`.
      let set = UInt16(truncatingIfNeeded: labels[reference.block])
      guard set != SharerSets.none else { return }
      noteTimes(set)
      for run in leaf.runs {
        runs.append(BlockSharers.Run(begin: run.dataBegin, length: run.length, set: set))
      }
      if runs.count >= Visitor.flushCount { flush() }
      if let index = walk.leafIndex(of: reference.block),
        let counted = PieceCounts.Leaf(index, leaf.runs)
      {
        pieces.append(counted)
      }
    }

    /// Counts mappings by time; those of a leaf often have the same one.
    private mutating func noteTimes(_ set: UInt16) {
      var time: UInt32?
      var sum: UInt64 = 0
      for run in leaf.runs {
        if let known = time, known != run.time {
          times[TimeKey(set: set, time: known), default: 0] += sum
          sum = 0
        }
        time = run.time
        sum += run.length
      }
      if let time { times[TimeKey(set: set, time: time), default: 0] += sum }
    }

    mutating func flush() {
      sharers.note(runs)
      runs.removeAll(keepingCapacity: true)
    }
  }
}
