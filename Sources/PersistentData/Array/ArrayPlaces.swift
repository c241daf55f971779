/// The places that metadata blocks have in an array, as far as they are known.
struct ArrayPlaces: Sendable {
  /// By block; counted from 1, as a table starts out as zeroes. No array is as long as 2^64 - 1.
  private var places: BlockTable<UInt64>

  /// For a device of `blockCount` blocks, none of which has a place yet.
  init(blockCount: UInt64) {
    places = BlockTable(count: min(blockCount, MetadataBlock.maximumCount))
  }

  /// A block beyond the device, or beyond what a kernel uses of it, has none.
  subscript(block: MetadataBlock) -> UInt64? {
    get {
      guard places.indices.contains(Int(block.number)) else { return nil }
      let place = places[Int(block.number)]
      return place == 0 ? nil : place - 1
    }
    set { places[Int(block.number)] = newValue.map { min($0, .max - 1) + 1 } ?? 0 }
  }
}
