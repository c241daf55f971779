package import PersistentData

/// Makes era metadata of a given shape; the same shape always gives the same metadata.
package struct EraGenerator: Sendable {
  private let shape: EraShape

  /// `shape`: one without a problem.
  package init(_ shape: EraShape) {
    precondition(shape.problem == nil)
    self.shape = shape
  }

  /// Blocks of a metadata device on which all of it fits with some to spare.
  package var roomyBlocks: UInt64 {
    let blocks = UInt64(shape.blockCount)
    let writesets = UInt64(shape.writesets)
    let bitset = ArraySize.blocks(EraReader.Structure.writeset, blocks)
    let perLeaf = UInt64(BTreeNode.minimumEntries(valueSize: Writeset.encodedSize))
    // If the product overflows, it is more than can be written, which the writer reports.
    let (bitsets, isHuge) = writesets.multipliedReportingOverflow(by: bitset)
    if isHuge || bitsets > MetadataBlock.maximumCount { return MetadataBlock.maximumCount }
    let arrays = ArraySize.blocks(EraReader.Structure.eraArray, blocks) + bitsets
    let trees = 2 * (writesets / perLeaf + 1)
    return NewSize.roomy(for: ArraySize.metadataBlocks(forArrays: arrays + trees))
  }

  /// Writes the metadata to where `restorer` does.
  package func write(through restorer: consuming EraRestorer) throws(WriteError) {
    var events = restorer
    try write(into: &events)
  }

  /// Emits the metadata as events.
  package func write<Events: EraEvents & ~Copyable>(
    into events: inout Events
  ) throws(Events.Failure) {
    try events.begin(
      EraHeader(
        dataBlockSectors: shape.dataBlockSectors, blockCount: shape.blockCount,
        currentEra: shape.currentEra))
    var random = SplitMix(seed: shape.seed)
    for older in (0..<shape.writesets).reversed() {
      try events.beginWriteset(
        era: UInt64(shape.currentEra - older), bitCount: shape.blockCount)
      var runs = WrittenRuns(shape)
      while let run = runs.next(&random) { try events.marked(run) }
      try events.endWriteset()
    }
    try events.beginEraArray()
    var runs = WrittenRuns(shape)
    var done: UInt64 = 0
    while let run = runs.next(&random) {
      for block in done..<run.lowerBound { try events.era(0, of: block) }
      // The blocks were written in an older era, which has been digested.
      let era = UInt32(random.number(below: UInt64(shape.currentEra - shape.writesets) + 1))
      for block in run { try events.era(era, of: block) }
      done = run.upperBound
    }
    for block in done..<UInt64(shape.blockCount) { try events.era(0, of: block) }
    try events.endEraArray()
    try events.end()
  }
}

/// Goes through the runs of blocks that are written in an era.
private struct WrittenRuns {
  private let longestRun: UInt64
  /// Blocks to go through, and how many of them will have been written.
  private var left: UInt64
  private var wanted: UInt64
  private var block: UInt64 = 0

  init(_ shape: EraShape) {
    longestRun = shape.longestRun
    left = UInt64(shape.blockCount)
    wanted = shape.writtenBlocks
  }

  mutating func next(_ random: inout SplitMix) -> Range<UInt64>? {
    guard wanted > 0 else { return nil }
    let length = min(wanted, 1 + random.number(below: longestRun))
    // Gaps of such an average length that the last run ends up near the end.
    let unwritten = left - wanted
    let runsToCome = wanted / length + 1
    let gap = random.number(below: min(unwritten, 2 * unwritten / runsToCome) + 1)
    let start = block + gap
    block = start + length
    left -= gap + length
    wanted -= length
    return start..<block
  }
}
