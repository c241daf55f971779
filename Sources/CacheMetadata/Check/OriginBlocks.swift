internal import PersistentData

/// Looks for origin blocks that two cache blocks hold: when both are written back, one of them
/// overwrites the other.
///
/// Hardly any cache has one, so it must be fast where there is none: when mappings are read, a bit
/// is noted for each one's origin block, to find those that come twice (`SeenNumbers`). The few
/// mappings with these are read once more and sorted, at most 16 MiB of them at a time.
struct OriginBlocks: Sendable {
  /// Mappings that are sorted at once: 16 MiB.
  private static let maxSorted: UInt64 = 1 << 20

  /// A cache block and the origin block that it holds.
  fileprivate struct Holder: Sendable {
    let origin: UInt64
    let cacheBlock: UInt64
  }

  private let array: StoredArray
  private let repeated: SeenNumbers.Repeated

  /// `repeated`: the origin blocks that come twice, as far as is known.
  init(_ array: StoredArray, _ repeated: SeenNumbers.Repeated) {
    self.array = array
    self.repeated = repeated
  }

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
    if repeated.count == 0 { return }
    // For each that was met again, the first is gathered as well.
    let passes = 2 * repeated.count / OriginBlocks.maxSorted + 1
    for pass in 0..<passes {
      var holders = holders(pass, of: passes)
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

  private func holders(_ pass: UInt64, of passes: UInt64) -> [Holder] {
    var array = array
    var reported = Findings()
    return array.readBlocks(findings: &reported) { [repeated] in
      HolderGatherer(repeated: repeated, pass: pass, passes: passes)
    }.flatMap(\.holders)
  }
}

private struct HolderGatherer: ArrayVisitor {
  let repeated: SeenNumbers.Repeated
  let pass: UInt64
  let passes: UInt64
  var holders: [OriginBlocks.Holder] = []

  init(repeated: SeenNumbers.Repeated, pass: UInt64, passes: UInt64) {
    self.repeated = repeated
    self.pass = pass
    self.passes = passes
  }

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    let first = UInt64(place) * CacheReader.Structure.mappings.entriesPerBlock
    let values: Span<UInt64> = block.stored(wanted)
    for index in values.indices {
      let mapping = CacheMapping(UInt64(littleEndian: values[index]))
      let origin = mapping.originBlock
      guard mapping.isValid, repeated.contains(origin), origin % passes == pass else { continue }
      holders.append(
        OriginBlocks.Holder(origin: origin, cacheBlock: first + UInt64(index)))
    }
  }
}
