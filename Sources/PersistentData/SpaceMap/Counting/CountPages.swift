internal import CSystem

/// The memory that `RefCounts` counts in.
///
/// Owns raw memory, because counting is what a check does most: an array for each region would
/// check whether it is shared each time a block is counted. Callers pass only blocks on the device.
///
/// Two bits per block are enough for most. If a count is above 3, its page of 4096 blocks gets a
/// byte for each block, and the page's two-bit entries are all set to 3: bytes need not be looked
/// at unless an entry is 3. While exclusive references are watched, 3 means a single exclusive one,
/// as does `exclusive` in a byte.
@safe struct CountPages: ~Copyable {
  /// The counts of 65,536 blocks.
  @safe private struct Region {
    /// 32 entries per word, laid out as in a bitmap on disk; `nil` while no count is above 0.
    var words: UnsafeMutablePointer<UInt64>?
    /// The bytes of each page that has them; `nil` while none has.
    var pages: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?
  }

  private static let regionBits: UInt64 = 16
  private static let pageBits: UInt64 = 12
  private static let pageBlocks = 1 << Int(pageBits)
  private static let pageWords = pageBlocks / Bitmap.entriesPerWord
  private static let pagesPerRegion = 1 << Int(regionBits - pageBits)
  private static let wordsPerRegion = pagesPerRegion * pageWords
  /// Bytes that aren't counts: "see `large`", and "one exclusive reference".
  private static let inTable: UInt8 = 254
  private static let exclusive: UInt8 = 255

  private let regions: UnsafeMutableBufferPointer<Region>
  /// The counts of 254 and more.
  private var large: [UInt64: UInt64] = [:]
  /// All ones while exclusive references are watched, otherwise 0.
  private var watch: UInt64
  /// Whether a block with an exclusive reference had another one.
  private var hasRivals = false

  init(count: UInt64, watchingExclusive: Bool = false) {
    watch = watchingExclusive ? .max : 0
    unsafe regions = .allocate(capacity: Int(count >> CountPages.regionBits) + 1)
    unsafe regions.initialize(repeating: Region())
  }

  deinit {
    for index in unsafe regions.indices {
      let region = unsafe regions[index]
      unsafe region.words?.deallocate()
      guard let pages = unsafe region.pages else { continue }
      for page in 0..<CountPages.pagesPerRegion { unsafe pages[page]?.deallocate() }
      unsafe pages.deallocate()
    }
    unsafe regions.deallocate()
  }

  subscript(block: UInt64) -> UInt64 {
    guard let bytes = unsafe bytes(ofPage: Int(block >> CountPages.pageBits)) else {
      return UInt64(Bitmap.count(Int(block) % Bitmap.entriesPerWord, in: word(with: block)))
    }
    let byte = unsafe bytes[Int(block) % CountPages.pageBlocks]
    return byte == CountPages.inTable ? large[block, default: UInt64(byte)] : UInt64(byte)
  }

  mutating func set(_ block: UInt64, to value: UInt64) {
    let bytes = unsafe widen(Int(block >> CountPages.pageBits))
    let byte = UInt8(min(value, UInt64(CountPages.inTable)))
    unsafe bytes[Int(block) % CountPages.pageBlocks] = byte
    large[block] = value >= UInt64(CountPages.inTable) ? value : nil
  }

  /// Makes every exclusive reference an ordinary one. Returns whether one of them had a rival.
  mutating func endWatch() -> Bool {
    guard watch != 0 else { return hasRivals }
    watch = 0
    for index in unsafe regions.indices {
      let region = unsafe regions[index]
      guard let words = unsafe region.words else { continue }
      for page in 0..<CountPages.pagesPerRegion {
        if let bytes = unsafe region.pages?[page] {
          for entry in 0..<CountPages.pageBlocks where unsafe bytes[entry] == CountPages.exclusive {
            unsafe bytes[entry] = 1
          }
        } else {
          for index in page * CountPages.pageWords..<(page + 1) * CountPages.pageWords {
            let word = unsafe words[index]
            unsafe words[index] = word ^ (word & word >> 1 & Bitmap.lowBits)
          }
        }
      }
    }
    return hasRivals
  }

  @inline(__always) mutating func increment(_ run: BlockRun) {
    if !incrementWithinWord(run) { incrementByPage(run) }
  }

  /// Counts a run whose entries are in one word, none of them 3 yet: the usual case in a fragmented
  /// pool. Returns whether it was one.
  @inline(__always) private func incrementWithinWord(_ run: BlockRun) -> Bool {
    // Unsigned, so that division needs no rounding towards 0.
    let perWord = UInt64(Bitmap.entriesPerWord)
    let first = run.begin % perWord
    // A length of 0 becomes a huge number here.
    guard run.length &- 1 < perWord - first else { return false }
    guard let word = unsafe pointer(toWordWith: run.begin) else { return false }
    let mask = (Bitmap.lowBits &>> (2 &* (perWord &- run.length))) &<< (2 &* first)
    let exclusive = run.isExclusive ? watch : 0
    return unsafe CountPages.increment(&word.pointee, mask, exclusive, watch)
  }

  /// The word with the two bits of a block, if its region has any.
  @inline(__always) private func pointer(
    toWordWith block: UInt64
  ) -> UnsafeMutablePointer<UInt64>? {
    let inRegion = block % (1 << CountPages.regionBits)
    return unsafe regions[Int(block >> CountPages.regionBits)].words.map {
      unsafe $0 + Int(inRegion / UInt64(Bitmap.entriesPerWord))
    }
  }

  private func word(with block: UInt64) -> UInt64 {
    unsafe pointer(toWordWith: block)?.pointee ?? 0
  }

  private mutating func incrementByPage(_ run: BlockRun) {
    var block = run.begin
    let end = run.begin + run.length
    while block < end {
      let page = block >> CountPages.pageBits
      let pageEnd = min(end, (page + 1) << CountPages.pageBits)
      incrementInPage(block..<pageEnd, isExclusive: run.isExclusive && watch != 0)
      block = pageEnd
    }
  }

  /// Called some time before `block` is counted: in a fragmented pool, fetching a count from memory
  /// takes far longer than raising it.
  @inline(__always) func prefetch(_ block: UInt64) {
    if let word = unsafe pointer(toWordWith: block) { unsafe dmm_prefetch(word) }
  }

  /// The end of the word, or of the region, that `block` is in, if nothing is counted there.
  func endOfEmpty(with block: UInt64) -> UInt64? {
    guard let word = unsafe pointer(toWordWith: block) else {
      return ((block >> CountPages.regionBits) + 1) << CountPages.regionBits
    }
    let perWord = UInt64(Bitmap.entriesPerWord)
    return unsafe word.pointee == 0 ? block - block % perWord + perWord : nil
  }

  func bitmapWord(from first: UInt64) -> UInt64 {
    guard let bytes = unsafe bytes(ofPage: Int(first >> CountPages.pageBits)) else {
      return word(with: first)
    }
    let start = Int(first) % CountPages.pageBlocks
    var word: UInt64 = 0
    for entry in 0..<Bitmap.entriesPerWord {
      let count = UInt64(min(3, unsafe bytes[start + entry]))
      word |= (count >> 1 | (count & 1) << 1) << UInt64(2 * entry)
    }
    return word
  }

  /// The words of the `wordCount` × 32 blocks from `first` on; 0 for those that begin at `end` or
  /// later.
  func bitmapWords(from first: UInt64, _ wordCount: Int, below end: UInt64) -> [UInt64] {
    let perWord = UInt64(Bitmap.entriesPerWord)
    var words: [UInt64] = []
    words.reserveCapacity(wordCount)
    var block = first
    while words.count < wordCount, block < end {
      let page = block >> CountPages.pageBits
      let pageEnd = min(end, (page + 1) << CountPages.pageBits)
      let count = min(wordCount - words.count, Int((pageEnd - block + perWord - 1) / perWord))
      if unsafe bytes(ofPage: Int(page)) != nil {
        for index in 0..<count { words.append(bitmapWord(from: block + UInt64(index) * perWord)) }
      } else if let start = unsafe pointer(toWordWith: block) {
        unsafe words.append(contentsOf: UnsafeBufferPointer(start: start, count: count))
      } else {
        words.append(contentsOf: repeatElement(0, count: count))
      }
      block += UInt64(count) * perWord
    }
    words.append(contentsOf: repeatElement(0, count: wordCount - words.count))
    return words
  }

  /// How many blocks of a run have a count of 1.
  func countOfOnes(in run: BlockRun) -> UInt64 {
    let perWord = UInt64(Bitmap.entriesPerWord)
    var sum: UInt64 = 0
    var block = run.begin
    let end = run.begin + run.length
    while block < end {
      let first = block % perWord
      let count = min(perWord - first, end - block)
      let word = bitmapWord(from: block - first)
      let mask = (Bitmap.lowBits >> (2 * (perWord - count))) << (2 * first)
      sum += UInt64((word >> 1 & ~word & mask).nonzeroBitCount)
      block += count
    }
    return sum
  }

  /// Counts blocks of one page.
  private mutating func incrementInPage(_ blocks: Range<UInt64>, isExclusive: Bool) {
    let page = Int(blocks.lowerBound >> CountPages.pageBits)
    let first = Int(blocks.lowerBound) % CountPages.pageBlocks
    let last = first + blocks.count - 1
    let words = unsafe words(ofPage: page)
    // In pages that have bytes, the two-bit entries are full, so this fails.
    if unsafe CountPages.increment(words, first, last, isExclusive ? watch : 0, watch) { return }
    let bytes = unsafe widen(page)
    for entry in first...last {
      let count = unsafe bytes[entry]
      if isExclusive, count == 0 {
        unsafe bytes[entry] = CountPages.exclusive
        continue
      }
      if isExclusive || count == CountPages.exclusive { hasRivals = true }
      if count < CountPages.inTable - 1 {
        unsafe bytes[entry] = count + 1
      } else if count == CountPages.exclusive {
        unsafe bytes[entry] = 2
      } else {
        let block = UInt64(page) << CountPages.pageBits | UInt64(entry)
        large[block] = large[block, default: UInt64(count)] + 1
        unsafe bytes[entry] = CountPages.inTable
      }
    }
  }

  /// Adds one to all entries, 32 at once; returns `false` and changes nothing if one of them is
  /// full. `exclusive`: all ones if the references are exclusive.
  private static func increment(
    _ words: UnsafeMutablePointer<UInt64>, _ first: Int, _ last: Int, _ exclusive: UInt64,
    _ watch: UInt64
  ) -> Bool {
    let firstWord = first / Bitmap.entriesPerWord
    let lastWord = last / Bitmap.entriesPerWord
    // The first bit of each entry from `first` on, and up to `last`.
    let head = Bitmap.lowBits << UInt64(2 * (first % Bitmap.entriesPerWord))
    let spare = Bitmap.entriesPerWord - 1 - last % Bitmap.entriesPerWord
    let tail = Bitmap.lowBits >> UInt64(2 * spare)
    if firstWord == lastWord {
      return unsafe increment(&words[firstWord], head & tail, exclusive, watch)
    }
    for index in firstWord...lastWord {
      let mask = index == firstWord ? head : index == lastWord ? tail : Bitmap.lowBits
      if unsafe isFull(words[index], mask, exclusive, watch) { return false }
    }
    for index in firstWord...lastWord {
      let mask = index == firstWord ? head : index == lastWord ? tail : Bitmap.lowBits
      _ = unsafe increment(&words[index], mask, exclusive, watch)
    }
    return true
  }

  private static func increment(
    _ word: inout UInt64, _ mask: UInt64, _ exclusive: UInt64, _ watch: UInt64
  ) -> Bool {
    if isFull(word, mask, exclusive, watch) { return false }
    let high = word & Bitmap.lowBits
    let low = word >> 1 & Bitmap.lowBits
    // An exclusive reference turns 0 into 3.
    word = (high ^ (low | exclusive) & mask) | (low ^ mask) << 1
    return true
  }

  /// Whether one of the entries can't take one more reference: the most is 3, or 2 while exclusive
  /// references are watched; and an exclusive one can't be added to another.
  private static func isFull(
    _ word: UInt64, _ mask: UInt64, _ exclusive: UInt64, _ watch: UInt64
  ) -> Bool {
    let low = word >> 1
    return (word & (low | watch) | low & exclusive) & mask != 0
  }

  /// The words of a page; allocates them for its region if needed.
  private func words(ofPage page: Int) -> UnsafeMutablePointer<UInt64> {
    let region = page / CountPages.pagesPerRegion
    let start = page % CountPages.pagesPerRegion * CountPages.pageWords
    if let words = unsafe regions[region].words { return unsafe words + start }
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: CountPages.wordsPerRegion)
    unsafe words.initialize(repeating: 0, count: CountPages.wordsPerRegion)
    unsafe regions[region].words = unsafe words
    return unsafe words + start
  }

  private func bytes(ofPage page: Int) -> UnsafeMutablePointer<UInt8>? {
    let region = unsafe regions[page / CountPages.pagesPerRegion]
    return unsafe region.pages?[page % CountPages.pagesPerRegion]
  }

  /// The page's bytes; allocates them if needed.
  private func widen(_ page: Int) -> UnsafeMutablePointer<UInt8> {
    if let bytes = unsafe bytes(ofPage: page) { return unsafe bytes }
    let words = unsafe words(ofPage: page)
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: CountPages.pageBlocks)
    for entry in 0..<CountPages.pageBlocks {
      let word = unsafe words[entry / Bitmap.entriesPerWord]
      let count = UInt8(Bitmap.count(entry % Bitmap.entriesPerWord, in: word))
      unsafe (bytes + entry).initialize(to: count == 3 && watch != 0 ? CountPages.exclusive : count)
    }
    unsafe words.update(repeating: .max, count: CountPages.pageWords)
    let region = page / CountPages.pagesPerRegion
    if unsafe regions[region].pages == nil {
      let pages = UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>.allocate(
        capacity: CountPages.pagesPerRegion)
      unsafe pages.initialize(repeating: nil, count: CountPages.pagesPerRegion)
      unsafe regions[region].pages = unsafe pages
    }
    unsafe regions[region].pages?[page % CountPages.pagesPerRegion] = unsafe bytes
    return unsafe bytes
  }
}

// This value alone owns the memory.
extension CountPages: @unchecked Sendable {}
