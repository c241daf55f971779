internal import CSystem

/// The pages that `RefCounts` counts in.
///
/// Owns raw memory, because counting is what a check does most: an array for each page would be
/// asked whether it is shared each time a block is counted. Callers keep to blocks on the device.
@safe struct CountPages: ~Copyable {
  /// Counts of 4096 blocks, in words.
  @safe private struct Page {
    /// `nil` while no count is above 0. Either 32 entries a word, laid out as in a bitmap on
    /// disk, as long as no count is above 3; or a byte each, `inTable` saying "see the table".
    var words: UnsafeMutablePointer<UInt64>?
    var hasBytes = false
  }

  private static let bits: UInt64 = 12
  private static let blocks = 1 << Int(bits)
  private static let pairWords = blocks / Bitmap.entriesPerWord
  private static let byteWords = blocks / 8
  private static let inTable: UInt8 = 255

  private let pages: UnsafeMutableBufferPointer<Page>
  /// The counts of 255 and more.
  private var large: [UInt64: UInt64] = [:]

  init(count: UInt64) {
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
    return byte == CountPages.inTable ? large[block, default: 255] : UInt64(byte)
  }

  mutating func set(_ block: UInt64, to value: UInt64) {
    let bytes = unsafe widen(Int(block >> CountPages.bits))
    unsafe bytes[Int(block) % CountPages.blocks] = UInt8(min(value, UInt64(CountPages.inTable)))
    large[block] = value >= UInt64(CountPages.inTable) ? value : nil
  }

  mutating func increment(_ run: BlockRun) {
    if !incrementWithinWord(run) { incrementByPage(run) }
  }

  /// Counts a run whose entries stand in one word of pairs, none of them 3 yet: the usual case in
  /// a fragmented pool. Returns whether it was one.
  private func incrementWithinWord(_ run: BlockRun) -> Bool {
    let place = Int(run.begin) % CountPages.blocks
    let first = place % Bitmap.entriesPerWord
    // No blocks at all make a huge number here.
    guard run.length &- 1 < UInt64(Bitmap.entriesPerWord - first) else { return false }
    let page = unsafe pages[Int(run.begin >> CountPages.bits)]
    guard !page.hasBytes, let words = unsafe page.words else { return false }
    let spare = UInt64(Bitmap.entriesPerWord) - run.length
    let mask = (Bitmap.lowBits >> (2 * spare)) << UInt64(2 * first)
    return unsafe CountPages.increment(&words[place / Bitmap.entriesPerWord], mask)
  }

  private mutating func incrementByPage(_ run: BlockRun) {
    var block = run.begin
    let end = run.begin + run.length
    while block < end {
      let page = Int(block >> CountPages.bits)
      let pageEnd = min(end, UInt64(page + 1) << CountPages.bits)
      let first = Int(block) % CountPages.blocks
      increment(page, first, first + Int(pageEnd - block) - 1)
      block = pageEnd
    }
  }

  /// To be called some time before `block` is counted: in a fragmented pool it takes far longer
  /// to get a count out of memory than to raise it.
  func prefetch(_ block: UInt64) {
    let page = unsafe pages[Int(block >> CountPages.bits)]
    guard let words = unsafe page.words else { return }
    let perWord = page.hasBytes ? 8 : Bitmap.entriesPerWord
    unsafe dmm_prefetch(words + Int(block) % CountPages.blocks / perWord)
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

  private mutating func increment(_ page: Int, _ first: Int, _ last: Int) {
    if unsafe !pages[page].hasBytes {
      let words = unsafe pairs(page)
      if unsafe CountPages.increment(words, first, last) { return }
    }
    let bytes = unsafe widen(page)
    for place in first...last {
      if unsafe bytes[place] < CountPages.inTable - 1 {
        unsafe bytes[place] += 1
      } else {
        let block = UInt64(page) << CountPages.bits | UInt64(place)
        large[block] = large[block, default: UInt64(unsafe bytes[place])] + 1
        unsafe bytes[place] = CountPages.inTable
      }
    }
  }

  /// Adds one to all entries, 32 at once; refuses, and changes nothing, when one of them is 3.
  private static func increment(
    _ words: UnsafeMutablePointer<UInt64>, _ first: Int, _ last: Int
  ) -> Bool {
    let firstWord = first / Bitmap.entriesPerWord
    let lastWord = last / Bitmap.entriesPerWord
    // The first bit of each entry from `first` on, and up to `last`.
    let head = Bitmap.lowBits << UInt64(2 * (first % Bitmap.entriesPerWord))
    let spare = Bitmap.entriesPerWord - 1 - last % Bitmap.entriesPerWord
    let tail = Bitmap.lowBits >> UInt64(2 * spare)
    if firstWord == lastWord { return unsafe increment(&words[firstWord], head & tail) }
    for index in firstWord...lastWord {
      let mask = index == firstWord ? head : index == lastWord ? tail : Bitmap.lowBits
      let word = unsafe words[index]
      if word & word >> 1 & mask != 0 { return false }
    }
    for index in firstWord...lastWord {
      let mask = index == firstWord ? head : index == lastWord ? tail : Bitmap.lowBits
      _ = unsafe increment(&words[index], mask)
    }
    return true
  }

  private static func increment(_ word: inout UInt64, _ mask: UInt64) -> Bool {
    let high = word & Bitmap.lowBits
    let low = word >> 1 & Bitmap.lowBits
    if high & low & mask != 0 { return false }
    word = (high ^ low & mask) | (low ^ mask) << 1
    return true
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
        unsafe bytes[place] = UInt8(Bitmap.count(place % Bitmap.entriesPerWord, in: word))
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
