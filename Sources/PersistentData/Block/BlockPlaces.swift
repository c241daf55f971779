/// The index of each of some blocks in an array.
package struct BlockPlaces: Sendable {
  /// By block; the index plus one, as a table starts out as zeroes.
  private var places: BlockTable<UInt32>

  /// For a device of `blockCount` blocks, none of which has an index yet.
  package init(blockCount: UInt64) { places = BlockTable(count: blockCount) }

  package var blockCount: UInt64 { UInt64(places.indices.count) }

  /// The index of a block in the array; `nil` for one that isn't there.
  package subscript(block: UInt32) -> Int? {
    get {
      let place = places[Int(block)]
      return place == 0 ? nil : Int(place) - 1
    }
    set { places[Int(block)] = newValue.map { UInt32($0) + 1 } ?? 0 }
  }
}
