/// What one pass over the leaves has collected: the entries that begin between two blocks.
struct ReversePass: Sendable {
  /// One of each worker, all cut alike.
  let windows: [ReverseBuckets]
  let begin: UInt64
  /// What begins here or later is for another pass.
  let end: UInt64

  /// The buckets that may have entries.
  var buckets: Range<Int> {
    let width = windows.first?.width ?? 1
    let largest = windows.map(\.count).max() ?? 0
    return 0..<min(largest, Int((end - begin + width - 1) / width))
  }

  /// About how many entries there are.
  var entryCount: Int { windows.reduce(0) { $0 + $1.entryCount } }
}
