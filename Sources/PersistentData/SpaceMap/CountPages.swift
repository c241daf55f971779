internal import CSystem

/// The pages that `RefCounts` counts in.
///
/// Owns raw memory, because counting is what a check does most: an array for each page would be
/// asked whether it is shared each time a block is counted. Callers keep to blocks on the device.
@safe struct CountPages: ~Copyable {
  /// Counts of 4096 blocks, in words.
  @safe private struct Page {
    /// `nil` while no count is above 0. Either 32 entries a word, laid out as in a bitmap on
    /// disk, as long as no count is above 3; or a byte each, `inTable` saying "see the table". As
    /// long as sole references are watched, 3 in an entry stands for one of these, and `lone` in a
    /// byte.
    var words: UnsafeMutablePointer<UInt64>?
    var hasBytes = false
  }

  private static let bits: UInt64 = 12
  private static let blocks = 1 << Int(bits)
  private static let pairWords = blocks / Bitmap.entriesPerWord
  private static let byteWords = blocks / 8
  private static let inTable: UInt8 = 254
  private static let lone: UInt8 = 255

  private let pages: UnsafeMutableBufferPointer<Page>
  /// The counts of 254 and more.
  private var large: [UInt64: UInt64] = [:]
  /// All ones as long as sole references are watched, otherwise 0.
  private var watch: UInt64
  /// Whether a block of a sole reference had another one.
  private var hasRivals = false

  init(count: UInt64, watchingSole: Bool = false) {
    watch = watchingSole ? .max : 0
    unsafe pages = .allocate(capacity: Int(count >> CountPages.bits) + 1)
    unsafe pages.initialize(repeating: Page())
  }

  deinit {
    for index in unsafe pages.indices { unsafe pages[index].words?.deallocate() }
    unsafe pages.deallocate()
  }

  subscript(block: UInt64) -> UInt64 {
    let place = Int(block) % CountPages.blocks
    let page = unsafe pages[Int(block >> CountPages.bits)]
    guard let words = unsafe page.words else { return 0 }
    guard page.hasBytes else {
      let word = unsafe words[place / Bitmap.entriesPerWord]
      return UInt64(Bitmap.count(place % Bitmap.entriesPerWord, in: word))
    }
    let byte = unsafe CountPages.bytes(words)[place]
    return byte == CountPages.inTable ? large[block, default: UInt64(byte)] : UInt64(byte)
  }

  mutating func set(_ block: UInt64, to value: UInt64) {
    let bytes = unsafe widen(Int(block >> CountPages.bits))
    unsafe bytes[Int(block) % CountPages.blocks] = UInt8(min(value, UInt64(CountPages.inTable)))
    large[block] = value >= UInt64(CountPages.inTable) ? value : nil
  }

  /// Makes every sole reference an ordinary one. Returns whether one of them had a rival.
  mutating func endWatch() -> Bool {
    guard watch != 0 else { return hasRivals }
    watch = 0
    for index in unsafe pages.indices {
      let page = unsafe pages[index]
      guard let words = unsafe page.words else { continue }
      if page.hasBytes {
        let bytes = unsafe CountPages.bytes(words)
        for place in 0..<CountPages.blocks {
          let byte = unsafe bytes[place]
          unsafe bytes[place] = byte == CountPages.lone ? 1 : byte
        }
      } else {
        for place in 0..<CountPages.pairWords {
          let word = unsafe words[place]
          unsafe words[place] = word ^ (word & word >> 1 & Bitmap.lowBits)
        }
      }
    }
    return hasRivals
  }

  @inline(__always) mutating func increment(_ run: BlockRun) {
    if !incrementWithinWord(run) { incrementByPage(run) }
  }

  /// Counts a run whose entries stand in one word of pairs, none of them 3 yet: the usual case in
  /// a fragmented pool. Returns whether it was one.
  @inline(__always) private func incrementWithinWord(_ run: BlockRun) -> Bool {
    // Without a sign, so that no quotient has to be rounded towards 0.
    let perWord = UInt64(Bitmap.entriesPerWord)
    let place = run.begin % UInt64(CountPages.blocks)
    let first = place % perWord
    // No blocks at all make a huge number here.
    guard run.length &- 1 < perWord - first else { return false }
    let page = unsafe pages[Int(run.begin >> CountPages.bits)]
    guard !page.hasBytes, let words = unsafe page.words else { return false }
    let mask = (Bitmap.lowBits &>> (2 &* (perWord &- run.length))) &<< (2 &* first)
    let sole = run.isSole ? watch : 0
    return unsafe CountPages.increment(&words[Int(place / perWord)], mask, sole, watch)
  }

  private mutating func incrementByPage(_ run: BlockRun) {
    var block = run.begin
    let end = run.begin + run.length
    while block < end {
      let page = Int(block >> CountPages.bits)
      let pageEnd = min(end, UInt64(page + 1) << CountPages.bits)
      let first = Int(block) % CountPages.blocks
      increment(page, first, first + Int(pageEnd - block) - 1, isSole: run.isSole && watch != 0)
      block = pageEnd
    }
  }

  /// To be called some time before `block` is counted: in a fragmented pool it takes far longer
  /// to get a count out of memory than to raise it.
  func prefetch(_ block: UInt64) {
    let page = unsafe pages[Int(block >> CountPages.bits)]
    guard let words = unsafe page.words else { return }
    let place = block % UInt64(CountPages.blocks)
    let perWord = UInt64(Bitmap.entriesPerWord)
    unsafe dmm_prefetch(words + Int(page.hasBytes ? place / 8 : place / perWord))
  }

  /// The first block behind the page of `block`, when nothing in that page is counted.
  func endOfEmptyPage(with block: UInt64) -> UInt64? {
    let page = block >> CountPages.bits
    let isEmpty = unsafe pages[Int(page)].words == nil
    return isEmpty ? (page + 1) << CountPages.bits : nil
  }

  func bitmapWord(from first: UInt64) -> UInt64 {
    let place = Int(first) % CountPages.blocks
    let page = unsafe pages[Int(first >> CountPages.bits)]
    guard let words = unsafe page.words else { return 0 }
    guard page.hasBytes else { return unsafe words[place / Bitmap.entriesPerWord] }
    var word: UInt64 = 0
    for entry in 0..<Bitmap.entriesPerWord {
      let count = UInt64(min(3, unsafe CountPages.bytes(words)[place + entry]))
      word |= (count >> 1 | (count & 1) << 1) << UInt64(2 * entry)
    }
    return word
  }

  private mutating func increment(_ page: Int, _ first: Int, _ last: Int, isSole: Bool) {
    if unsafe !pages[page].hasBytes {
      let words = unsafe pairs(page)
      if unsafe CountPages.increment(words, first, last, isSole ? watch : 0, watch) { return }
    }
    let bytes = unsafe widen(page)
    for place in first...last {
      let count = unsafe bytes[place]
      if isSole, count == 0 {
        unsafe bytes[place] = CountPages.lone
        continue
      }
      if isSole || count == CountPages.lone { hasRivals = true }
      if count < CountPages.inTable - 1 {
        unsafe bytes[place] = count + 1
      } else if count == CountPages.lone {
        unsafe bytes[place] = 2
      } else {
        let block = UInt64(page) << CountPages.bits | UInt64(place)
        large[block] = large[block, default: UInt64(count)] + 1
        unsafe bytes[place] = CountPages.inTable
      }
    }
  }

  /// Adds one to all entries, 32 at once; refuses, and changes nothing, when one of them can't
  /// have one more. `sole`: all ones where the references are sole.
  private static func increment(
    _ words: UnsafeMutablePointer<UInt64>, _ first: Int, _ last: Int, _ sole: UInt64,
    _ watch: UInt64
  ) -> Bool {
    let firstWord = first / Bitmap.entriesPerWord
    let lastWord = last / Bitmap.entriesPerWord
    // The first bit of each entry from `first` on, and up to `last`.
    let head = Bitmap.lowBits << UInt64(2 * (first % Bitmap.entriesPerWord))
    let spare = Bitmap.entriesPerWord - 1 - last % Bitmap.entriesPerWord
    let tail = Bitmap.lowBits >> UInt64(2 * spare)
    if firstWord == lastWord {
      return unsafe increment(&words[firstWord], head & tail, sole, watch)
    }
    for index in firstWord...lastWord {
      let mask = index == firstWord ? head : index == lastWord ? tail : Bitmap.lowBits
      if unsafe isFull(words[index], mask, sole, watch) { return false }
    }
    for index in firstWord...lastWord {
      let mask = index == firstWord ? head : index == lastWord ? tail : Bitmap.lowBits
      _ = unsafe increment(&words[index], mask, sole, watch)
    }
    return true
  }

  private static func increment(
    _ word: inout UInt64, _ mask: UInt64, _ sole: UInt64, _ watch: UInt64
  ) -> Bool {
    if isFull(word, mask, sole, watch) { return false }
    let high = word & Bitmap.lowBits
    let low = word >> 1 & Bitmap.lowBits
    // A sole reference makes 3 out of 0.
    word = (high ^ (low | sole) & mask) | (low ^ mask) << 1
    return true
  }

  /// Whether one of the entries has no room for one more reference: not above 3; not above 2 as
  /// long as sole references are watched; and none that is sole beside any other.
  private static func isFull(
    _ word: UInt64, _ mask: UInt64, _ sole: UInt64, _ watch: UInt64
  ) -> Bool {
    let low = word >> 1
    return (word & (low | watch) | low & sole) & mask != 0
  }

  /// The page's words of two bits a block.
  private func pairs(_ page: Int) -> UnsafeMutablePointer<UInt64> {
    if let words = unsafe pages[page].words { return unsafe words }
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: CountPages.pairWords)
    unsafe words.initialize(repeating: 0, count: CountPages.pairWords)
    unsafe pages[page].words = unsafe words
    return unsafe words
  }

  /// The page's bytes; it gets them if it has none.
  private func widen(_ page: Int) -> UnsafeMutablePointer<UInt8> {
    let old = unsafe pages[page]
    if old.hasBytes, let words = unsafe old.words { return unsafe CountPages.bytes(words) }
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: CountPages.byteWords)
    unsafe words.initialize(repeating: 0, count: CountPages.byteWords)
    let bytes = unsafe CountPages.bytes(words)
    if let pairs = unsafe old.words {
      for place in 0..<CountPages.blocks {
        let word = unsafe pairs[place / Bitmap.entriesPerWord]
        let count = UInt8(Bitmap.count(place % Bitmap.entriesPerWord, in: word))
        unsafe bytes[place] = count == 3 && watch != 0 ? CountPages.lone : count
      }
      unsafe pairs.deallocate()
    }
    unsafe pages[page] = unsafe Page(words: words, hasBytes: true)
    return unsafe bytes
  }

  private static func bytes(_ words: UnsafeMutablePointer<UInt64>) -> UnsafeMutablePointer<UInt8> {
    unsafe UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt8.self)
  }
}

// The memory belongs to this value alone.
extension CountPages: @unchecked Sendable {}
