internal import PersistentData

extension EraSalvage {
  /// Emits what comes back, in the order of a dump.
  package func emit<Events: EraEvents & ~Copyable>(
    to events: inout Events
  ) throws(Events.Failure) {
    try events.begin(header)
    if let fullEra {
      try events.beginWriteset(era: fullEra, bitCount: header.blockCount)
      if header.blockCount > 0 { try events.marked(0..<UInt64(header.blockCount)) }
      try events.endWriteset()
    }
    for writeset in writesets { try emit(writeset, to: &events) }
    try events.beginEraArray()
    var unused = Findings()
    var array = eraArray
    let values = openValues
    let (currentEra, hasImpossible) = (header.currentEra, highest > header.currentEra)
    try array.forEachChunk(of: UInt32.self, findings: &unused) {
      (chunk, _) throws(Events.Failure) in
      var eras = chunk.values
      // No value can be above the current era.
      if hasImpossible { for index in eras.indices { eras[index] = min(eras[index], currentEra) } }
      for stretch in chunk.stretches where !stretch.isKnown {
        for index in stretch.indices {
          eras[index] = lostValue(of: chunk.first + UInt64(index), values)
        }
      }
      try events.eras(eras, from: chunk.first)
    }
    try events.endEraArray()
    try events.end()
  }

  private func emit<Events: EraEvents & ~Copyable>(
    _ writeset: SalvagedWriteset, to events: inout Events
  ) throws(Events.Failure) {
    try events.beginWriteset(
      era: writeset.era, bitCount: UInt32(clamping: writeset.bitCount))
    let lost = writeset.lost
    if let all = lost.first, all.lowerBound == 0, all.upperBound + 1 == writeset.bitCount {
      try events.marked(0..<writeset.bitCount)
    } else {
      var unused = Findings()
      var array = writeset.bits
      var bits = Bitset(&array, findings: &unused)
      for range in lost { bits.set(range) }
      try bits.forEachRange { (range) throws(Events.Failure) in try events.marked(range) }
      // Lost bits of blocks beyond the set's places.
      if let last = lost.last, last.upperBound >= bits.bitCount {
        try events.marked(max(last.lowerBound, bits.bitCount)..<last.upperBound + 1)
      }
    }
    try events.endWriteset()
  }

  /// By index in a block of the era array: the highest value there in all blocks without a place.
  private var openValues: [UInt32]? {
    if openParts.isEmpty { return nil }
    var values = [UInt32](repeating: 0, count: eraArray.shape.valuesPerBlock)
    for part in openParts {
      let read: ()? = try? file.withBlock(part.block) { bytes in
        let block = ArrayBlock(bytes)
        for index in 0..<min(block.entryCount, values.count) {
          values[index] = max(values[index], block.value(index))
        }
      }
      if read == nil { return nil }
    }
    return values
  }

  /// The highest value that a block whose own value is lost can have.
  private func lostValue(of block: UInt64, _ open: [UInt32]?) -> UInt32 {
    let perBlock = eraArray.shape.entriesPerBlock
    let place = Int(block / perBlock)
    guard let open, place < eraArray.blocks.count, eraArray.blocks[place] == nil
    else { return bound }
    return min(bound, open[Int(block % perBlock)])
  }

  /// Counts what will come back, and notes what will not.
  mutating func survey() {
    var outcome = outcome
    let values = openValues
    outcome.lostBlocks = eraArray.lost
    if let values {
      for block in outcome.lostBlocks.joined() {
        outcome.lostBlocksEra = max(outcome.lostBlocksEra, lostValue(of: block, values))
      }
    } else if !outcome.lostBlocks.isEmpty {
      outcome.lostBlocksEra = bound
    }
    if highest > header.currentEra { outcome.impossible = impossibleCount }
    let lost = outcome.lostBlocks.map { $0.upperBound - $0.lowerBound + 1 }.reduce(0, +)
    outcome.kept = eraArray.entryCount - lost - outcome.impossible
    for writeset in writesets {
      if writeset.lost.isEmpty {
        outcome.keptWritesets += 1
      } else {
        outcome.lostWritesets.append(writeset.era)
      }
    }
    self.outcome = outcome
  }
  /// How many values are above the current era.
  private var impossibleCount: UInt64 {
    var (array, unused) = (eraArray, Findings())
    let currentEra = header.currentEra
    let visitors = array.readBlocks(findings: &unused) { ExcessVisitor(above: currentEra) }
    return visitors.reduce(0) { $0 + UInt64($1.count) }
  }
}

/// Counts values above a limit.
private struct ExcessVisitor: ArrayVisitor {
  private let least: UInt32
  private(set) var count = 0

  /// `limit`: not the highest number that there is.
  init(above limit: UInt32) { least = limit + 1 }

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    for word in block.isAtLeast(least, wanted) { count += word.nonzeroBitCount }
  }
}
