package import PersistentData

/// What a check of era metadata found.
package struct EraReport: Sendable {
  package private(set) var findings: Findings
  /// `nil` when there is no usable superblock.
  package private(set) var superblock: EraSuperblock?
  /// Whole blocks on the device.
  package let blockCount: UInt64
  /// Origin blocks whose last era of a write is lost, ascending.
  package private(set) var lostBlocks: [ClosedRange<UInt64>] = []
  /// Eras whose writesets are lost, or parts of them.
  package private(set) var lostEras: [ClosedRange<UInt64>] = []
  /// Blocks that new metadata should have, as far as a check can tell.
  package private(set) var newBlockCount: UInt64
  /// Formatting takes two blocks that are missing from the number of free ones when the table is
  /// dropped before its first resume, and stay so.
  private static let blocksMissedByFormat: UInt32 = 2
  /// What can be mended in place; `nil` unless everything was looked at.
  package private(set) var plan: MendPlan<EraSuperblock>?

  /// Checks the metadata in `file` and reports all that is wrong with it.
  package init(of file: BlockFile, superblockOnly: Bool = false) {
    findings = Findings()
    blockCount = file.blockCount
    newBlockCount = min(blockCount, MetadataBlock.maximumCount)
    let site = EraReader.Structure.superblock
    guard let superblock = EraSuperblock.read(.superblock, of: file, at: site, into: &findings)
    else {
      newBlockCount = NewSize.blocks(for: file)
      return
    }
    self.superblock = superblock
    newBlockCount = NewSize.blocks(
      needed: superblock.metadataSpaceMap.allocatedCount, old: blockCount)
    superblock.check(home: .superblock, at: site, into: &findings)
    if superblock.heldRoot != 0 {
      findings.report(
        .metadataSnapshotHeld, at: EraReader.Structure.metadataSnapshot,
        found: "block \(superblock.heldRoot)")
    }
    superblock.checkSize(of: file, at: site, into: &findings)
    if superblockOnly { return }

    var reader = EraReader(file, superblock, findings: findings)
    lostBlocks = reader.checkEraArrays()
    lostEras = reader.checkWritesets()
    plan = MendPlan(
      superblock, EraReader.Structure.metadataSpaceMap, of: EraReader.Structure.metadata, in: file,
      isAllReached: superblock.heldRoot == 0 || reader.held != nil,
      missedByFormat: EraReport.blocksMissedByFormat, usage: &reader.usage,
      findings: &reader.findings)
    findings = reader.findings
  }
}

extension EraReport: MetadataReport {
  package static func fullCheck(of file: BlockFile) -> Findings { EraReport(of: file).findings }
}

extension EraReader {
  /// Reads the era arrays and checks their values against the eras there are. Returns the origin
  /// blocks whose value in the live one can't be read.
  fileprivate mutating func checkEraArrays() -> [ClosedRange<UInt64>] {
    var array = live.eraArray
    check(&array, of: live)
    if let held {
      var heldArray = held.eraArray
      // Blocks that the snapshot shares have been checked.
      heldArray.forget(array.blocks)
      check(&heldArray, of: held)
    }
    return array.lost
  }

  private mutating func check(_ array: inout StoredArray, of view: EraView) {
    let current = view.superblock.currentEra
    // An era is put into the array when it has ended.
    let oldest = view.archived.first?.era ?? view.current.map { max($0.era, 1) - 1 }
    let visitors = array.readBlocks(findings: &findings) {
      EraVisitor(shape: Structure.eraArray, current: current, oldest: oldest)
    }
    for visitor in visitors { findings.merge(visitor.findings) }
  }

  /// Reads the bitsets, and checks the eras that have one against the current era. Returns the eras
  /// that can't be read completely.
  fileprivate mutating func checkWritesets() -> [ClosedRange<UInt64>] {
    var lost = live.lostEras
    checkEras(of: live, isCurrentArchived: live.current == nil)
    // The copy's current writeset belongs to the live metadata, and was not archived then.
    if let held { checkEras(of: held, isCurrentArchived: false) }
    let current = live.current.map { [$0] } ?? []
    var seen: Set<Writeset> = []
    for writeset in live.archived + current + (held?.archived ?? [])
    where seen.insert(writeset.stored).inserted {
      var bits = bits(of: writeset)
      bits.verify(findings: &findings)
      if !bits.isWhole {
        lost.append(writeset.era...writeset.era)
      }
    }
    let superblock = live.superblock
    let size = superblock.currentWriteset.bitCount
    let isOpen = superblock.currentWriteset.root != 0
    // Some tools write no size for a writeset that is not open yet.
    if size != superblock.blockCount, isOpen || size != 0 {
      findings.report(
        isOpen ? .writesetSizeWrong : .writesetSizeUnusual, at: Structure.superblock,
        found: UInt64(size), expected: UInt64(superblock.blockCount))
    }
    return lost.joined
  }

  /// Archived eras follow each other without a gap, up to the era before the current one, or to
  /// the current one where that has been archived.
  private mutating func checkEras(of view: EraView, isCurrentArchived: Bool) {
    let tree = Structure.writesetTree
    let eras = view.archived.map(\.era)
    let current = UInt64(view.superblock.currentEra)
    func site(_ era: UInt64) -> Site { Site(tree.label, keys: era...era) }
    for era in eras where era > current || (era == current && !isCurrentArchived) {
      findings.report(
        .writesetInFuture, at: site(era), found: "era \(era)", expected: .below(current))
    }
    for (era, next) in zip(eras, eras.dropFirst()) where next != era + 1 {
      let isHidden = view.lostEras.contains { $0.overlaps(era + 1...next - 1) }
      if !isHidden { findings.report(.writesetMissing, at: site(era + 1)) }
    }
    let last = isCurrentArchived ? current : current - min(current, 1)
    let isHidden = view.lostEras.contains { $0.upperBound >= last }
    if let newest = eras.last, newest < last, !isHidden {
      findings.report(.writesetMissing, at: site(newest + 1))
    }
  }
}

/// Checks the values of the era array against the eras there are.
private struct EraVisitor: ArrayVisitor {
  let shape: ArrayShape
  let current: UInt32
  /// The oldest era that has a writeset, whose blocks are not in the array yet.
  let oldest: UInt64?
  var findings = Findings()

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    let highest = oldest.map { min(UInt64(current), $0) } ?? UInt64(current)
    if UInt64(block.highest(wanted)) <= highest { return }
    let first = UInt64(place) * shape.entriesPerBlock
    let values: Span<UInt32> = block.stored(wanted)
    for index in values.indices {
      let era = UInt32(littleEndian: values[index])
      if UInt64(era) <= highest { continue }
      let key = first + UInt64(index)
      let isFuture = era > current
      findings.report(
        isFuture ? .blockEraInFuture : .blockEraPastWriteset,
        at: shape.site(block: block.block, entry: index, keys: key...key), found: "era \(era)",
        expected: .atMost(isFuture ? UInt64(current) : highest))
    }
  }
}
