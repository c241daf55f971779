import PersistentData
import TestSupport
import Testing

/// Sets of bits against plain arrays.
@Suite struct RankedBitsetTests {
  /// Bits in runs, as blocks in use are, with stretches of none and of all.
  private func bits(_ random: inout SeededRandom, count: Int) -> [Bool] {
    var bits: [Bool] = []
    while bits.count < count {
      let length = random.number(1...(random.once(in: 4) ? 3000 : 40))
      let share = [0, 2, 5, 10].randomElement(using: &random) ?? 0
      for _ in 0..<length { bits.append(random.number(0..<10) < share) }
    }
    return Array(bits.prefix(count))
  }

  private func bitset(_ bits: [Bool]) -> Bitset {
    var set = Bitset(bitCount: bits.count)
    for (index, bit) in bits.enumerated() where bit { set[UInt64(index)] = true }
    return set
  }

  @Test func `ranks and bits lead to each other`() {
    var random = SeededRandom()
    for count in [0, 1, 63, 64, 65, 1023, 1024, 1025, 5000, 20_000] {
      let bits = bits(&random, count: count)
      let set = RankedBitset(bitset(bits))
      let wanted = bits.indices.filter { bits[$0] }.map(UInt64.init)
      let place: Comment = "seed \(random.seed), \(count) bits"
      #expect(set.count == UInt64(wanted.count), place)
      #expect(wanted.indices.map { set.bit(ranked: UInt64($0)) } == wanted, place)
      var rank: UInt64 = 0
      for (index, bit) in bits.enumerated() {
        #expect(set.rank(of: UInt64(index)) == rank, place)
        #expect(set.contains(UInt64(index)) == bit, place)
        if bit { rank += 1 }
      }
      #expect(set.rank(of: UInt64(count)) == rank, place)
      #expect(set.rank(of: .max) == rank, place)
    }
  }

  @Test func `a part of the bits, and those that are not set`() {
    var random = SeededRandom()
    for round in 0..<200 {
      let bits = bits(&random, count: random.number(0...700))
      let set = bitset(bits)
      let place: Comment = "seed \(random.seed), round \(round)"
      let first = random.number(0...bits.count)
      let end = random.number(first...bits.count)
      let part = set.restricted(to: UInt64(first)..<UInt64(end))
      for index in bits.indices {
        #expect(part[UInt64(index)] == (bits[index] && (first..<end).contains(index)), place)
        #expect(set.inverted[UInt64(index)] == !bits[index], place)
      }
      #expect(set.inverted.count + set.count == bits.count, place)
    }
  }

  @Test func `counts of references become a bit for each block`() {
    var random = SeededRandom()
    for count in [1, 31, 32, 33, 1000, 70_000] as [UInt64] {
      let counts = RefCounts(count: count)
      var wanted: Set<UInt64> = []
      for _ in 0..<min(count, 500) {
        let block = random.number(0..<count)
        wanted.insert(block)
        for _ in 0..<random.number(1...5) { counts.increment(block) }
      }
      let used = counts.used
      #expect((0..<count).filter { used[$0] } == wanted.sorted(), "seed \(random.seed)")
    }
  }
}
