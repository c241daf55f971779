internal import PersistentData

/// Looks for origin blocks that two cache blocks hold: when both are written back, one of them
/// overwrites the other.
///
/// Hardly any cache has one, so what comes first is to be fast where there is none: of each mapping
/// four bytes are kept, and those that occur twice are looked for (`PartedNumbers`). The few
/// mappings that have these bytes are read once more, and sorted, so many at a time that they take
/// no more than 32 MiB.
struct OriginBlocks: Sendable {
  /// Mappings whose bytes are kept at once: 32 MiB.
  private static let mostAtOnce: UInt64 = 1 << 23
  /// Mappings that are sorted at once: 32 MiB.
  private static let mostSorted = 1 << 21

  /// A cache block and the origin block that it holds.
  fileprivate struct Holder: Sendable {
    let origin: UInt64
    let cacheBlock: UInt64
  }

  private let array: StoredArray

  init(_ array: StoredArray) { self.array = array }

  /// Reports each cache block whose origin block a lower one holds too. The array's blocks have
  /// been read before: what is wrong with them is not reported again.
  func reportDuplicates(into findings: inout Findings) {
    forEachDuplicate { first, next, origin in
      findings.report(
        .originBlockMappedTwice, at: array.shape.site(keys: next...next),
        found: "origin block \(origin), which cache block \(first) has too")
    }
  }

  /// Gives `body` each cache block whose origin block a lower one, the first, holds too.
  func forEachDuplicate(_ body: (_ first: UInt64, _ next: UInt64, _ origin: UInt64) -> Void) {
    let capacity = UInt64(array.blocks.count) * array.shape.entriesPerBlock
    let count = min(array.entryCount, capacity)
    let passes = count / OriginBlocks.mostAtOnce + 1
    for pass in 0..<passes {
      let parted = visitors {
        NumberGatherer(numbers: PartedNumbers(expecting: count, pass: pass, of: passes))
      }
      let repeated = PartedNumbers.repeated(in: parted.map(\.numbers))
      if !repeated.isEmpty { forEachDuplicate(among: repeated, body) }
    }
  }

  /// `repeated`: as often as each number was met again.
  private func forEachDuplicate(
    among repeated: [UInt32], _ body: (_ first: UInt64, _ next: UInt64, _ origin: UInt64) -> Void
  ) {
    let suspects = Set(repeated)
    let passes = UInt64((repeated.count + suspects.count) / OriginBlocks.mostSorted + 1)
    for pass in 0..<passes {
      var holders = visitors { HolderGatherer(suspects: suspects, pass: pass, passes: passes) }
        .flatMap(\.holders)
      holders.sort { ($0.origin, $0.cacheBlock) < ($1.origin, $1.cacheBlock) }
      var first = 0
      for next in holders.indices.dropFirst() {
        if holders[next].origin != holders[first].origin {
          first = next
        } else {
          body(holders[first].cacheBlock, holders[next].cacheBlock, holders[next].origin)
        }
      }
    }
  }

  private func visitors<Visitor: ArrayVisitor>(
    _ makeVisitor: @Sendable () -> Visitor
  ) -> [Visitor] {
    var array = array
    var reported = Findings()
    return array.readBlocks(findings: &reported, makeVisitor)
  }
}

extension ArrayBlock {
  /// Gives `body` the place in the array, and the origin block, of each mapping among the first
  /// `wanted` values.
  fileprivate func forEachOrigin(
    _ wanted: Int, ofBlock place: Int, _ body: (_ cacheBlock: UInt64, _ origin: UInt64) -> Void
  ) {
    let first = UInt64(place) * CacheReader.Structure.mappings.entriesPerBlock
    let values: Span<UInt64> = stored(wanted)
    for index in values.indices {
      let mapping = CacheMapping(UInt64(littleEndian: values[index]))
      if mapping.isValid { body(first + UInt64(index), mapping.originBlock) }
    }
  }
}

private struct NumberGatherer: ArrayVisitor {
  var numbers: PartedNumbers

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    block.forEachOrigin(wanted, ofBlock: place) { _, origin in
      numbers.insert(PartedNumbers.number(of: origin))
    }
  }
}

private struct HolderGatherer: ArrayVisitor {
  let suspects: Set<UInt32>
  let pass: UInt64
  let passes: UInt64
  var holders: [OriginBlocks.Holder] = []

  init(suspects: Set<UInt32>, pass: UInt64, passes: UInt64) {
    self.suspects = suspects
    self.pass = pass
    self.passes = passes
  }

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    block.forEachOrigin(wanted, ofBlock: place) { cacheBlock, origin in
      guard origin % passes == pass, suspects.contains(PartedNumbers.number(of: origin)) else {
        return
      }
      holders.append(OriginBlocks.Holder(origin: origin, cacheBlock: cacheBlock))
    }
  }
}
