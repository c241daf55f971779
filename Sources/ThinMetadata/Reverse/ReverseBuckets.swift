/// Entries of a window, in buckets by where they begin; if there are too many, those that begin
/// first.
///
/// The window is cut into buckets of equal width. An entry goes to the end of its bucket as it
/// comes, and when there is no room left, the last bucket is dropped, and the window ends before
/// it.
struct ReverseBuckets: Sendable {
  /// The most buckets of a window: with these, places where entries are added stay in the
  /// second-level cache.
  private static let maxBuckets: UInt64 = 4096
  /// A leaf has no more entries than this.
  private static let entriesPerLeaf = 256

  let begin: UInt64
  /// Entries that begin here or later are for another pass.
  private(set) var end: UInt64
  /// Set when the first bucket alone is too much: the window has to be made anew, no wider than a
  /// bucket was.
  private(set) var isOverfull = false
  /// Data blocks of a bucket, as a power of two.
  let widthBits: UInt64

  /// Chunks of `chunkLength` entries each.
  private var entries: [ReverseEntry] = []
  private let chunkLength: Int
  private var chunkCount: Int
  /// By chunk: the one after it in its bucket, or among those that are free; plus one.
  private var nextChunk: [UInt32] = []
  private var freeChunk: UInt32 = 0
  private var usedCount = 0
  /// By bucket: its first chunk plus one.
  private var firstChunk: [UInt32]
  /// By bucket: where the next entry goes; a multiple of `chunkLength` if there is no room.
  private var places: [UInt32]
  /// Buckets from here on were given up.
  private var bucketEnd: Int

  /// `capacity`: about how many entries are kept.
  init(from begin: UInt64, to end: UInt64, capacity: Int) {
    let end = min(end, begin + ReverseEntry.reach)
    self.begin = begin
    self.end = end
    var bits: UInt64 = 0
    while (end - begin) >> bits >= ReverseBuckets.maxBuckets { bits += 1 }
    widthBits = bits
    // Long enough that following chunks costs little, short enough that buckets with few entries
    // waste little.
    chunkLength = capacity >= 1 << 18 ? 32 : 1
    chunkCount = capacity / chunkLength
    bucketEnd = Int((end - begin) >> bits) + 1
    firstChunk = Array(repeating: 0, count: bucketEnd)
    places = Array(repeating: 0, count: bucketEnd)
    // Memory that is never touched costs nothing; growing would take three times as much.
    entries.reserveCapacity((chunkCount + ReverseBuckets.entriesPerLeaf) * chunkLength)
  }

  /// How many buckets may have entries.
  var count: Int { bucketEnd }

  /// The most entries that there can be.
  var entryCount: Int { usedCount * chunkLength }

  /// How many data blocks a bucket has.
  var width: UInt64 { 1 << widthBits }

  /// Makes room for the entries of a leaf, unless the window is overfull.
  mutating func makeRoom() {
    while usedCount >= chunkCount, !isOverfull { giveUpLast() }
  }

  /// Adds entries that begin in the window. There has to be room for them.
  mutating func append(_ added: ArraySlice<ReverseEntry>) {
    var index = added.startIndex
    while true {
      index = Self.fill(added, from: index, &entries, &places, chunkLength, widthBits)
      if index == added.endIndex { return }
      appendInNewChunk(added[index])
      index += 1
    }
  }

  /// Adds entries as long as there is room in the last chunks of their buckets; returns where it
  /// stopped.
  private static func fill(
    _ added: ArraySlice<ReverseEntry>, from start: Int, _ entries: inout [ReverseEntry],
    _ places: inout [UInt32], _ chunkLength: Int, _ widthBits: UInt64
  ) -> Int {
    var entries = entries.mutableSpan
    var places = places.mutableSpan
    let mask = UInt32(chunkLength - 1)
    for index in start..<added.endIndex {
      let bucket = Int(added[index].offset >> widthBits)
      let place = places[bucket]
      if place & mask == 0 { return index }
      entries[Int(place)] = added[index]
      places[bucket] = place + 1
    }
    return added.endIndex
  }

  /// Leaves what begins at `block` or later to another pass.
  mutating func drop(from block: UInt64) { end = min(end, block) }

  /// Adds the entries of a bucket to others.
  func copy(_ bucket: Int, to others: inout [ReverseEntry]) {
    guard bucket < bucketEnd, firstChunk[bucket] > 0 else { return }
    let last = Int(places[bucket])
    var chunk = Int(firstChunk[bucket]) - 1
    while true {
      let start = chunk * chunkLength
      let isLast = last > start && last <= start + chunkLength
      others.append(contentsOf: entries[start..<(isLast ? last : start + chunkLength)])
      if isLast { return }
      chunk = Int(nextChunk[chunk]) - 1
    }
  }

  /// Adds an entry whose bucket has no chunk, or none with room.
  @inline(never) private mutating func appendInNewChunk(_ entry: ReverseEntry) {
    let chunk: Int
    if freeChunk > 0 {
      chunk = Int(freeChunk) - 1
      freeChunk = nextChunk[chunk]
      nextChunk[chunk] = 0
    } else {
      chunk = nextChunk.count
      nextChunk.append(0)
      entries.append(contentsOf: repeatElement(entry, count: chunkLength))
    }
    usedCount += 1
    let bucket = Int(entry.offset >> widthBits)
    if firstChunk[bucket] == 0 {
      firstChunk[bucket] = UInt32(chunk + 1)
    } else {
      nextChunk[(Int(places[bucket]) - 1) / chunkLength] = UInt32(chunk + 1)
    }
    entries[chunk * chunkLength] = entry
    places[bucket] = UInt32(chunk * chunkLength + 1)
  }

  /// Gives up the last bucket that has entries.
  private mutating func giveUpLast() {
    guard let last = firstChunk[..<bucketEnd].lastIndex(where: { $0 > 0 }) else { return }
    let begin = begin + UInt64(last) << widthBits
    if begin == self.begin {
      // Entries that begin together stay together, or no pass would get beyond them.
      if widthBits > 0 { isOverfull = true } else { chunkCount *= 2 }
      return
    }
    var chunk = Int(firstChunk[last]) - 1
    let first = chunk
    var count = 1
    while nextChunk[chunk] > 0 {
      chunk = Int(nextChunk[chunk]) - 1
      count += 1
    }
    nextChunk[chunk] = freeChunk
    freeChunk = UInt32(first + 1)
    usedCount -= count
    firstChunk[last] = 0
    places[last] = 0
    bucketEnd = last
    end = min(end, begin)
  }
}
