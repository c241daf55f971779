import PersistentData
import TestSupport
import Testing

/// The table of numbers by block, against an array.
@Suite struct BlockTableTests {
  @Test func `a table holds what was stored, and a copy goes its own way`() {
    var random = SeededRandom()
    for count in [1, 2, 511, 70_000, 300_000] as [UInt64] {
      var table = BlockTable<UInt32>(count: count)
      var model = [UInt32](repeating: 0, count: Int(count))
      let untouched = table
      for _ in 0..<200 {
        let block = Int(random.number(0..<count))
        let before = table
        model[block] = UInt32(truncatingIfNeeded: random.next())
        let old = table[block]
        table[block] = model[block]
        #expect(before[block] == old && table[block] == model[block])
      }
      #expect(table.indices.allSatisfy { table[$0] == model[$0] }, "seed \(random.seed)")
      #expect(untouched.indices.allSatisfy { untouched[$0] == 0 })
    }
  }

  @Test func `a table of no blocks has none`() {
    #expect(BlockTable<UInt8>(count: 0).indices.isEmpty)
  }

  @Test func `a block's place is where it was put, and nowhere before`() {
    var places = BlockPlaces(blockCount: 5)
    #expect(places.blockCount == 5)
    #expect((0..<5).allSatisfy { places[$0] == nil })
    places[4] = 0
    places[0] = 7
    #expect((0..<5).map { places[$0] } == [7, nil, nil, nil, 0])
    places[0] = nil
    #expect(places[0] == nil)
  }
}
