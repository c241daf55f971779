package import PersistentData

/// Emits era metadata as events, in the order of a dump.
package struct EraEmitter: Sendable {
  /// Emit no writesets, but put what they tell into the eras of blocks.
  package var isLogical = false

  package init() {}

  /// Stops at the first error; what was emitted so far is then incomplete.
  package func emit<Events: EraEvents & ~Copyable>(
    _ reader: inout EraReader, to events: inout Events
  ) throws(ReadError<Events.Failure>) {
    guard reader.findings.worst != .error else { throw .damaged(reader.findings) }
    let superblock = reader.live.superblock
    let writesets = reader.live.archived + (reader.live.current.map { [$0] } ?? [])
    let header = EraHeader(
      dataBlockSectors: superblock.dataBlockSectors, blockCount: superblock.blockCount,
      currentEra: superblock.currentEra)
    do throws(Events.Failure) { try events.begin(header) } catch { throw .listener(error) }
    var latest = isLogical ? LatestEras() : nil
    for writeset in writesets {
      guard let bits = reader.readBits(of: writeset) else { throw .damaged(reader.findings) }
      if latest != nil {
        latest?.append(bits, era: writeset.era)
        continue
      }
      do throws(Events.Failure) {
        try events.beginWriteset(era: writeset.era, bitCount: writeset.stored.bitCount)
        try bits.forEachRange { (range) throws(Events.Failure) in try events.marked(range) }
        try events.endWriteset()
      } catch {
        throw .listener(error)
      }
    }
    try sayEras(&reader, latest, to: &events)
    do throws(Events.Failure) { try events.end() } catch { throw .listener(error) }
  }

  private func sayEras<Events: EraEvents & ~Copyable>(
    _ reader: inout EraReader, _ latest: LatestEras?, to events: inout Events
  ) throws(ReadError<Events.Failure>) {
    do throws(Events.Failure) { try events.beginEraArray() } catch { throw .listener(error) }
    var array = reader.live.eraArray
    var findings = reader.findings
    try array.forEachChunk(of: UInt32.self, findings: &findings) {
      (chunk, findings) throws(ReadError<Events.Failure>) in
      guard findings.worst != .error else { throw .damaged(findings) }
      for (index, stored) in chunk.values.enumerated() {
        let block = chunk.first + UInt64(index)
        do throws(Events.Failure) {
          try events.era(latest?.era(of: block, stored: stored) ?? stored, of: block)
        } catch {
          throw .listener(error)
        }
      }
    }
    do throws(Events.Failure) { try events.endEraArray() } catch { throw .listener(error) }
  }
}

/// What writesets tell about when a block was last written.
private struct LatestEras: Sendable {
  private var sets: [(era: UInt32, bits: Bitset)] = []

  mutating func append(_ bits: Bitset, era: UInt64) {
    sets.append((UInt32(clamping: era), bits))
  }

  /// `stored`: what the era array says.
  func era(of block: UInt64, stored: UInt32) -> UInt32 {
    max(stored, sets.last { $0.bits[block] }?.era ?? 0)
  }
}

extension EraReader {
  /// Reads the bitset of a writeset; `nil` if some of it can't be read, which is a finding.
  mutating func readBits(of writeset: EraWriteset) -> Bitset? {
    var array = bits(of: writeset)
    let bits = Bitset(&array, findings: &findings)
    return array.isWhole ? bits : nil
  }
}
