internal import PersistentData

/// Looks for origin blocks that two cache blocks hold: when both are written back, one of them
/// overwrites the other.
///
/// Origins are gathered and sorted, so many at a time that they take no more than 32 MiB; of a
/// larger cache the array is read several times, and each time some of the origins are looked at.
struct OriginBlocks: Sendable {
  private static let keptAtMost: UInt64 = 1 << 21

  /// A cache block and the origin block that it holds.
  private struct Holder: Sendable {
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
    let passes = array.entryCount / OriginBlocks.keptAtMost + 1
    for pass in 0..<passes {
      var array = array
      var reported = Findings()
      let visitors = array.readBlocks(findings: &reported) {
        Visitor(pass: pass, passes: passes)
      }
      var holders = visitors.flatMap(\.holders)
      holders.sort { ($0.origin, $0.cacheBlock) < ($1.origin, $1.cacheBlock) }
      for (first, next) in zip(holders, holders.dropFirst()) where first.origin == next.origin {
        body(first.cacheBlock, next.cacheBlock, next.origin)
      }
    }
  }

  private struct Visitor: ArrayVisitor {
    let pass: UInt64
    let passes: UInt64
    var holders: [Holder] = []

    init(pass: UInt64, passes: UInt64) {
      self.pass = pass
      self.passes = passes
    }

    mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
      let first = UInt64(place) * CacheReader.Structure.mappings.entriesPerBlock
      for index in 0..<wanted {
        let mapping = CacheMapping(block.value(index))
        guard mapping.isValid, mapping.originBlock % passes == pass else { continue }
        holders.append(
          Holder(origin: mapping.originBlock, cacheBlock: first + UInt64(index)))
      }
    }
  }
}
