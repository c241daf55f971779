internal import PersistentData

/// A writeset as far as it can be read.
struct SalvagedWriteset: Sendable {
  let era: UInt64
  /// Bits that the set has; more than the writeset says if its blocks hold more.
  let bitCount: UInt64
  let bits: StoredArray
  /// Whether none of it can be trusted.
  let isContradicted: Bool

  /// Ranges of bits that count as set because they are lost, ascending.
  var lost: [ClosedRange<UInt64>] {
    if isContradicted { return bitCount > 0 ? [0...bitCount - 1] : [] }
    return bits.lost
  }
}

/// Reads era metadata as far as it can be read, and decides which parts can be trusted.
struct EraEvidence: Sendable {
  let file: BlockFile
  private(set) var superblock: EraSuperblock
  private(set) var findings: Findings
  private(set) var outcome = EraOutcome()
  private(set) var eraArray: StoredArray
  /// Blocks of the era array, one of which belongs where the array has none; empty unless they
  /// include the block of every such place.
  private(set) var openParts: [ArrayCensus.Part] = []
  /// Ascending by era; the current one is the last.
  private(set) var writesets: [SalvagedWriteset] = []
  /// The highest value that can be read in the era array.
  private(set) var highest: UInt32 = 0
  /// The highest value that a lost block can have had.
  private(set) var bound: UInt32 = 0

  private typealias Structure = EraReader.Structure
  private var usage: BlockUsage
  private var counts = StoredCounts.none
  private var lostEras: [ClosedRange<UInt64>] = []

  init(_ file: BlockFile, _ superblock: EraSuperblock, _ findings: Findings) {
    self.file = file
    self.superblock = superblock
    self.findings = findings
    usage = BlockUsage(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    eraArray = StoredArray(Structure.eraArray, entryCount: 0, blocks: [], in: file)
    _ = usage.claim(.superblock, for: Structure.superblock.structure)
    usage.references.increment(0)
  }

  mutating func gather() {
    let held = heldSuperblock()
    let heldRoots = { (root: KeyPath<EraSuperblock, UInt64>) in
      held.map { [$0[keyPath: root]] } ?? []
    }
    let tree = LeafContents(
      Structure.writesetTree, roots: [superblock.writesetRoot] + heldRoots(\.writesetRoot),
      in: file, usage: &usage, findings: &findings
    ) { leaf, entry in Writeset(leaf, entry) }
    let (live, lost) = tree.entries(below: superblock.writesetRoot)
    var sets = writesetIndices(tree, live.map(\.1))
    var index = ArrayIndex(
      Structure.eraArray, roots: [superblock.eraArrayRoot] + heldRoots(\.eraArrayRoot),
      entryCount: UInt64(superblock.blockCount), in: file, usage: &usage, findings: &findings)
    let map = StoredSpaceMap(
      Structure.metadataSpaceMap, root: superblock.metadataSpaceMap, index: .block, in: file,
      usage: &usage, findings: &findings)
    counts = StoredCounts(map)
    // A map in which the trees themselves are free is out of date.
    let nodes = tree.leaves.keys
    if index.contradicts(counts) || nodes.contains(where: { counts[$0.number] == 0 }) {
      counts = .none
    }
    let doubts = (index.doubts(counts, usage), sets.mapValues { $0.doubts(counts, usage) })
    index.believe(doubts.0, &usage)
    for (root, doubts) in doubts.1 { sets[root]?.believe(doubts, &usage) }
    collect(live, sets, lost)
    let all = sets.values + [index]
    let hidesNothing =
      tree.holes.isEmpty && !tree.isLedAstray && (held != nil || superblock.heldRoot == 0)
      && !all.contains { $0.hasHoles || !$0.doubted.isEmpty }
    if hidesNothing { doubtWritesets() }
    readEras(index)
  }

  /// The copy of the superblock that a metadata snapshot keeps.
  private mutating func heldSuperblock() -> EraSuperblock? {
    let pointer = superblock.heldRoot
    guard let block = MetadataBlock(pointer: pointer, count: usage.blockCount) else { return nil }
    usage.references.increment(pointer)
    _ = usage.claim(block, for: Structure.metadataSnapshot.structure)
    return EraSuperblock.read(
      block, of: file, at: Structure.metadataSnapshot, into: &findings)
  }

  /// The index trees of all bitsets, by root; every leaf that has a root holds a reference to it.
  private mutating func writesetIndices(
    _ tree: LeafContents<Writeset>, _ live: [Writeset]
  ) -> [UInt64: ArrayIndex] {
    var stored = tree.leaves.values.flatMap { $0.map(\.1) }
    let current = superblock.currentWriteset
    if current.root != 0 { stored.append(current) }
    var indices: [UInt64: ArrayIndex] = [:]
    for (root, sets) in Dictionary(grouping: stored, by: \.root) {
      indices[root] = ArrayIndex(
        Structure.writeset, roots: sets.map { _ in root },
        entryCount: UInt64(sets.map(\.bitCount).max() ?? 0), in: file, usage: &usage,
        findings: &findings)
    }
    return indices
  }
}

extension EraEvidence {
  /// Puts the writesets in order, and finds the eras that should have one but don't.
  private mutating func collect(
    _ live: [(UInt64, Writeset)], _ indices: [UInt64: ArrayIndex], _ hidden: [ClosedRange<UInt64>]
  ) {
    let isOpen = superblock.currentWriteset.root != 0
    raiseCurrentEra(above: live.map(\.0), isOpen: isOpen)
    let current = UInt64(superblock.currentEra)
    // Keys go up to the era before an open one.
    let last = isOpen ? current - min(current, 1) : current
    for (era, stored) in live.sorted(by: { $0.0 < $1.0 }) where era <= last {
      writesets.append(writeset(era, stored, indices))
    }
    let eras = writesets.map(\.era)
    var gaps: [ClosedRange<UInt64>] = []
    for (era, next) in zip(eras, eras.dropFirst()) where next > era + 1 {
      gaps.append(era + 1...next - 1)
    }
    if let newest = eras.last, newest < last { gaps.append(newest + 1...last) }
    let lost = (hidden.map { $0.clamped(to: 0...last) } + gaps).joined
    let found = eras.map { $0...$0 }
    lostEras = lost.flatMap { $0.removing(found.common(with: [$0])) }
    // If nothing is in use but what was reached, the lost nodes led to nothing.
    if !lostEras.isEmpty, ArrayCensus(file, counts, usage).isUnreached == false,
      gaps.isEmpty
    {
      lostEras = []
    }
    if let range = lostEras.last, range.upperBound > 0 {
      outcome.lostEras = (lostEras.first?.lowerBound ?? 0)...range.upperBound
      let before = writesets.count
      writesets.removeAll { $0.era < range.upperBound }
      outcome.supersededWritesets = before - writesets.count
    }
    if isOpen { writesets.append(writeset(current, superblock.currentWriteset, indices)) }
  }

  /// Blocks in use that nothing leads to, though nothing is damaged, show that an older node stands
  /// in place of a newer one, which may have led to any writeset.
  private mutating func doubtWritesets() {
    let last = UInt64(superblock.currentEra) - (superblock.currentWriteset.root != 0 ? 1 : 0)
    guard outcome.lostEras == nil, superblock.currentEra > 0, last > 0,
      !writesets.contains(where: \.isContradicted),
      ArrayCensus(file, counts, usage).isUnreached == true
    else { return }
    lostEras = [last...last]
    outcome.lostEras = last...last
    let before = writesets.count
    writesets.removeAll { $0.era <= last }
    outcome.supersededWritesets = before - writesets.count
  }

  /// Eras follow each other up to the current one. If some are later, either they or the superblock
  /// are wrong: they are, if just as many are missing before.
  private mutating func raiseCurrentEra(above eras: [UInt64], isOpen: Bool) {
    let current = UInt64(superblock.currentEra)
    let last = isOpen ? current - min(current, 1) : current
    let later = eras.filter { $0 > last && $0 < UInt64(UInt32.max) }
    guard let newest = later.max() else { return }
    if let before = eras.filter({ $0 <= last }).max(), last - before == UInt64(later.count) {
      return
    }
    outcome.raisedFrom = superblock.currentEra
    superblock.currentEra = UInt32(clamping: isOpen ? newest + 1 : newest)
  }

  /// The era in which all blocks count as written, as its writeset and all before are lost.
  var fullEra: UInt64? { outcome.lostEras?.upperBound }

  private mutating func writeset(
    _ era: UInt64, _ stored: Writeset, _ indices: [UInt64: ArrayIndex]
  ) -> SalvagedWriteset {
    guard let index = indices[stored.root] else {
      return SalvagedWriteset(
        era: era, bitCount: UInt64(stored.bitCount),
        bits: StoredArray(Structure.writeset, entryCount: 0, blocks: [], in: file),
        isContradicted: true)
    }
    var bits = index.array(in: file)
    bits.verify(findings: &findings)
    let words = index.isWhole ? bits.storedValueCount : nil
    let wanted = (UInt64(stored.bitCount) + 63) / 64
    // The blocks don't bear out the size: either may be wrong, and the larger loses nothing.
    let isOtherSize =
      index.isWhole && index.end > UInt64(index.placeCount) + 1
      || words.map { $0 != wanted } ?? false
    let count =
      isOtherSize
      ? max(UInt64(min(stored.bitCount, superblock.blockCount)), UInt64(superblock.blockCount))
      : UInt64(stored.bitCount)
    return SalvagedWriteset(
      era: era, bitCount: count, bits: bits,
      isContradicted: isOtherSize || !index.doubted.isEmpty || index.contradicts(counts))
  }

  /// Reads the era array, finds blocks that its index has lost, and how late lost values can be.
  private mutating func readEras(_ index: ArrayIndex) {
    readEraArray(index)
    raiseCurrentEra()
    bound = highestPossible()
    if index.missing.isEmpty { return }
    let census = ArrayCensus(file, counts, usage)
    let parts = census.parts.filter {
      file.highestEra(in: $0.block).map { $0 <= bound } ?? false
    }
    let placement = ArrayPlacement(
      index, parts, census.leaves, isComplete: counts.isComplete && census.unknown.isEmpty,
      contents: EraParts(parts, in: file))
    outcome.placedBlocks = placement.evidence
    if placement.isComplete { openParts = placement.openParts }
    readEraArray(index, with: placement.found)
  }

  private mutating func readEraArray(
    _ index: ArrayIndex, with found: [Int: MetadataBlock] = [:]
  ) {
    eraArray = index.array(with: found, in: file)
    highest =
      eraArray.readBlocks(findings: &findings) { HighestVisitor() }.map(\.highest).max() ?? 0
  }

  /// Raises the current era to the latest one in the era array.
  private mutating func raiseCurrentEra() {
    let current = superblock.currentEra
    // Eras follow each other, so the newest archived one confirms the superblock's.
    let archived = writesets.filter { $0.era < UInt64(current) }.last?.era
    if let archived, archived + 1 == UInt64(current) { return }
    if superblock.currentWriteset.root == 0, writesets.last?.era == UInt64(current) { return }
    guard highest > current else { return }
    outcome.raisedFrom = outcome.raisedFrom ?? current
    superblock.currentEra = highest
  }

  /// The oldest archived era: writesets are put into the array era by era. If any block has a value
  /// above it, this array was made by other rules.
  private func highestPossible() -> UInt32 {
    let current = superblock.currentEra
    guard lostEras.isEmpty, !writesets.contains(where: \.isContradicted),
      outcome.raisedFrom == nil
    else { return current }
    var bound = current
    if let oldest = writesets.first { bound = UInt32(clamping: min(oldest.era, UInt64(current))) }
    // The current writeset alone: all before it has been put into the array.
    if writesets.count == 1, superblock.currentWriteset.root != 0 { bound -= min(bound, 1) }
    return highest > bound ? current : bound
  }
}

extension StoredArray {
  /// Values that all blocks hold; `nil` where one can't be read.
  fileprivate var storedValueCount: UInt64? {
    guard isWhole else { return nil }
    var unused = Findings()
    var copy = self
    return copy.readBlocks(findings: &unused) { CountingVisitor() }.reduce(0) { $0 + $1.count }
  }
}

private struct HighestVisitor: ArrayVisitor {
  var highest: UInt32 = 0

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    highest = max(highest, block.highest(wanted))
  }
}

private struct CountingVisitor: ArrayVisitor {
  var count: UInt64 = 0

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    count += UInt64(block.entryCount)
  }
}
