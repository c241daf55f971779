/// Puts the entries of a bucket in order.
struct ReverseSorter: Sendable {
  private var entries: [ReverseEntry] = []
  private var sorted: [ReverseEntry] = []
  /// By place in the bucket: where the next entry that begins there goes.
  private var places: [UInt32] = []

  /// Gathers the entries of one bucket of several windows, all alike, and returns them by where
  /// they begin; in no particular order where they begin together.
  mutating func sort(_ bucket: Int, of windows: [ReverseBuckets]) -> [ReverseEntry] {
    entries.removeAll(keepingCapacity: true)
    for window in windows { window.copy(bucket, to: &entries) }
    guard let width = windows.first?.width, !entries.isEmpty else { return [] }
    // Going through all places must not take longer than going through the entries.
    if width > UInt64(4 * entries.count + 64) {
      entries.sort { $0.key < $1.key }
      return entries
    }
    places.removeAll(keepingCapacity: true)
    places.append(contentsOf: repeatElement(0, count: Int(width) + 1))
    if sorted.count != entries.count {
      sorted.removeAll(keepingCapacity: true)
      sorted.append(contentsOf: entries)
    }
    Self.distribute(entries, into: &sorted, &places, width - 1)
    return sorted
  }

  private static func distribute(
    _ entries: [ReverseEntry], into sorted: inout [ReverseEntry], _ places: inout [UInt32],
    _ mask: UInt64
  ) {
    let entries = entries.span
    var places = places.mutableSpan
    var sorted = sorted.mutableSpan
    for index in entries.indices { places[Int(entries[index].offset & mask) + 1] += 1 }
    for place in 1..<places.count { places[place] += places[place - 1] }
    for index in entries.indices {
      let place = Int(entries[index].offset & mask)
      sorted[Int(places[place])] = entries[index]
      places[place] += 1
    }
  }
}
