internal import PersistentData

/// Searches the leaves of all mapping trees for mappings whose data has been overwritten, or may
/// have been.
///
/// A part of the data device at a time: for each, the leaves are read once to learn who owns the
/// blocks that several map, and once more where there are disputes.
struct VictimSearch {
  /// Neighbouring mappings of one leaf with the same fate.
  struct Victim: Joinable, Sendable {
    /// The block that the leaf is in.
    let leaf: MetadataBlock
    let isCertain: Bool
    /// Virtual blocks.
    fileprivate(set) var keys: ClosedRange<UInt64>

    mutating func join(_ next: Victim) -> Bool {
      next.leaf == leaf && next.isCertain == isCertain && keys.join(next.keys)
    }
  }

  /// The most victims that are kept, at 24 bytes each.
  static let limit = 1 << 20

  /// In no order; a certain victim isn't listed as a possible one.
  private(set) var victims: [Victim] = []
  /// Whether there are no more than these.
  private(set) var isComplete = true

  /// Whether mappings may be wrong instead.
  private(set) var hasDoubts = false

  private let missing: UInt64
  private let limits: MappingLeaf.Limits
  private var mappings: TreeWalk

  /// `counts`: of the references of everything that can be read. `free`: data blocks that are
  /// mapped though their stored count is 0, ascending, none overlapping. `missing`: references
  /// that data blocks are short of.
  init(
    _ reader: PoolReader, _ counts: RefCounts, free: [ClosedRange<UInt64>], missing: UInt64
  ) {
    self.missing = missing
    limits = reader.limits
    mappings = reader.mappings
    var start: UInt64 = 0
    while let blocks = SuspectBlocks(counts, free, from: start) {
      if blocks.count > 0 { search(blocks, free) }
      start = blocks.end
    }
  }

  private mutating func search(_ blocks: SuspectBlocks, _ free: [ClosedRange<UInt64>]) {
    let owners = DataOwners(blocks)
    let limits = limits
    // What is wrong with leaves has been reported.
    var findings = Findings()
    _ = mappings.readLeaves(findings: &findings) {
      OwnerVisitor(owners: owners, leaf: MappingLeaf(limits))
    }
    let part = blocks.range
    let free = free.filter { $0.lowerBound < part.upperBound && $0.upperBound >= part.lowerBound }
    let disputes = owners.disputes(missing: missing)
    if disputes?.areDoubtful == true { hasDoubts = true }
    if disputes == nil, free.isEmpty { return }
    let visitors = mappings.readLeaves(findings: &findings) {
      VictimVisitor(disputes: disputes, free: free, part: part, leaf: MappingLeaf(limits))
    }
    for visitor in visitors {
      victims += visitor.victims.prefix(VictimSearch.limit - victims.count)
      if visitor.victims.count > VictimSearch.limit { isComplete = false }
    }
    if victims.count == VictimSearch.limit { isComplete = false }
  }
}

private struct OwnerVisitor: LeafVisitor {
  let owners: DataOwners
  var leaf: MappingLeaf
  private var findings = Findings()

  init(owners: DataOwners, leaf: MappingLeaf) {
    self.owners = owners
    self.leaf = leaf
  }

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    leaf.read(node, reference, findings: &findings)
    owners.note(leaf.runs)
  }
}

private struct VictimVisitor: LeafVisitor {
  let disputes: DataOwners.Disputes?
  let free: [ClosedRange<UInt64>]
  /// Data blocks of the part that is looked at.
  let part: Range<UInt64>
  var leaf: MappingLeaf
  private(set) var victims: [VictimSearch.Victim] = []
  private var findings = Findings()

  init(
    disputes: DataOwners.Disputes?, free: [ClosedRange<UInt64>], part: Range<UInt64>,
    leaf: MappingLeaf
  ) {
    self.disputes = disputes
    self.free = free
    self.part = part
    self.leaf = leaf
  }

  mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
    if victims.count > VictimSearch.limit { return }
    leaf.read(node, reference, findings: &findings)
    let number = reference.block
    for run in leaf.runs {
      let blocks = run.dataBlocks.clamped(to: part)
      if blocks.isEmpty { continue }
      let place = free.firstIndex(endingFrom: blocks.lowerBound)
      if place < free.count, free[place].lowerBound < blocks.upperBound {
        lookBlockByBlock(at: run, blocks, in: number)
      } else {
        disputes?.forEach(in: run) {
          append(run.virtualBegin + ($0 - run.dataBegin), $1, in: number)
        }
      }
    }
  }

  /// Looks at a run with some free blocks: these are suspect, disputed or not.
  private mutating func lookBlockByBlock(
    at run: MappingRun, _ blocks: Range<UInt64>, in leaf: MetadataBlock
  ) {
    var fates: [UInt64: Bool] = [:]
    disputes?.forEach(in: run) { fates[$0] = $1 }
    for block in blocks {
      guard let isCertain = fates[block] ?? (free.hasRange(with: block) ? false : nil)
      else { continue }
      append(run.virtualBegin + (block - run.dataBegin), isCertain, in: leaf)
    }
  }

  private mutating func append(_ key: UInt64, _ isCertain: Bool, in leaf: MetadataBlock) {
    victims.appendJoining(
      VictimSearch.Victim(leaf: leaf, isCertain: isCertain, keys: key...key))
  }
}
