internal import PersistentData
internal import Threads

/// Looks for origin blocks that two cache blocks hold: when both are written back, one of them
/// overwrites the other.
///
/// First a bit is set for each origin block that is met; where it was set before, there may be two.
/// Blocks share bits where there are more of them than bits, so that those few are looked at once
/// more: they are gathered and sorted, so many at a time that they take no more than 32 MiB.
struct OriginBlocks: Sendable {
  private static let keptAtMost: UInt64 = 1 << 21
  /// Bits for each cache block: of a hundred origin blocks one or two share a bit, where there are
  /// too many for a bit each.
  private static let bitsPerBlock: UInt64 = 32
  private static let bitsAtLeast: UInt64 = 1 << 12
  /// Of all workers together: 32 MiB.
  private static let bitsAtMost: UInt64 = 1 << 28

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
    guard let suspects = suspects() else { return }
    let count = visitors { Counter(suspects: suspects) }.reduce(0) { $0 + $1.count }
    let passes = count / OriginBlocks.keptAtMost + 1
    for pass in 0..<passes {
      var holders = visitors { Gatherer(suspects: suspects, pass: pass, passes: passes) }
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

  /// Bits that were met more than once; `nil` where there are none.
  private func suspects() -> OriginBits? {
    let most = OriginBlocks.bitsAtMost / UInt64(Workers.coreCount)
    let wanted = OriginBlocks.bitsPerBlock * min(array.entryCount, most)
    let count = max(OriginBlocks.bitsAtLeast, min(wanted, most))
    var sieve: Sieve?
    for other in visitors({ Sieve(bitCount: count) }) {
      if sieve == nil { sieve = other } else { sieve?.merge(other) }
    }
    return sieve?.twice
  }

  private func visitors<Visitor: ArrayVisitor>(
    _ makeVisitor: @Sendable () -> Visitor
  ) -> [Visitor] {
    var array = array
    var reported = Findings()
    return array.readBlocks(findings: &reported, makeVisitor)
  }
}

/// A bit for each origin block, or for some that share it.
private struct OriginBits: Sendable {
  private let mask: UInt64
  private(set) var words: [UInt64]

  /// `bitCount`: rounded down to a power of 2.
  init(bitCount: UInt64) {
    let width = UInt64(UInt64.bitWidth - 1 - bitCount.leadingZeroBitCount)
    mask = (1 << width) - 1
    words = Array(repeating: 0, count: Int((mask + 64) / 64))
  }

  func contains(_ origin: UInt64) -> Bool {
    let place = origin & mask
    return words[Int(place / 64)] >> (place % 64) & 1 == 1
  }

  /// Returns whether the bit was set before.
  mutating func insert(_ origin: UInt64) -> Bool {
    let place = origin & mask
    let bit: UInt64 = 1 << (place % 64)
    let word = words[Int(place / 64)]
    if word & bit != 0 { return true }
    words[Int(place / 64)] = word | bit
    return false
  }

  mutating func formUnion(_ other: OriginBits) {
    for index in words.indices { words[index] |= other.words[index] }
  }

  /// The bits that are set in both; `nil` where there are none.
  func common(with other: OriginBits) -> OriginBits? {
    guard words.indices.contains(where: { words[$0] & other.words[$0] != 0 }) else { return nil }
    var common = self
    for index in words.indices { common.words[index] &= other.words[index] }
    return common
  }
}

extension ArrayBlock {
  /// Gives `body` the place in the array, and the origin block, of each mapping among the first
  /// `wanted` values.
  fileprivate func forEachOrigin(
    _ wanted: Int, ofBlock place: Int, _ body: (_ cacheBlock: UInt64, _ origin: UInt64) -> Void
  ) {
    let first = UInt64(place) * CacheReader.Structure.mappings.entriesPerBlock
    for index in 0..<wanted {
      let mapping = CacheMapping(value(index))
      if mapping.isValid { body(first + UInt64(index), mapping.originBlock) }
    }
  }
}

private struct Sieve: ArrayVisitor {
  private var met: OriginBits
  private(set) var twice: OriginBits?
  private let bitCount: UInt64

  init(bitCount: UInt64) {
    self.bitCount = bitCount
    met = OriginBits(bitCount: bitCount)
  }

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    block.forEachOrigin(wanted, ofBlock: place) { _, origin in
      if met.insert(origin) { note(origin) }
    }
  }

  private mutating func note(_ origin: UInt64) {
    if twice == nil { twice = OriginBits(bitCount: bitCount) }
    _ = twice?.insert(origin)
  }

  /// Takes in what another worker met.
  mutating func merge(_ other: Sieve) {
    for more in [met.common(with: other.met), other.twice].compactMap({ $0 }) {
      if twice == nil { twice = more } else { twice?.formUnion(more) }
    }
    met.formUnion(other.met)
  }
}

private struct Counter: ArrayVisitor {
  let suspects: OriginBits
  var count: UInt64 = 0

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    block.forEachOrigin(wanted, ofBlock: place) { _, origin in
      if suspects.contains(origin) { count += 1 }
    }
  }
}

extension OriginBlocks {
  private struct Gatherer: ArrayVisitor {
    let suspects: OriginBits
    let pass: UInt64
    let passes: UInt64
    var holders: [Holder] = []

    init(suspects: OriginBits, pass: UInt64, passes: UInt64) {
      self.suspects = suspects
      self.pass = pass
      self.passes = passes
    }

    mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
      block.forEachOrigin(wanted, ofBlock: place) { cacheBlock, origin in
        guard suspects.contains(origin), origin % passes == pass else { return }
        holders.append(Holder(origin: origin, cacheBlock: cacheBlock))
      }
    }
  }
}
