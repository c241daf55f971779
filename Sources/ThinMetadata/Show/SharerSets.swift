/// Sets of sharers, each kept once and known by a number.
///
/// A pool has few of them, however many blocks its devices share: what is shared is shared since a
/// snapshot, and whole subtrees have the same sharers.
struct SharerSets: Sendable {
  /// Stands for a set of several sharers that could not be kept.
  static let tooMany = UInt16.max
  /// The empty set.
  static let none: UInt16 = 0

  private let wordCount: Int
  /// By number: a bit for each member.
  private var words: [[UInt64]]
  private var numbers: [[UInt64]: UInt16]
  private var unions: [UInt32: UInt16] = [:]
  /// The union that was asked for last, which is often asked for again.
  private var last: (pair: UInt32, union: UInt16) = (0, 0)

  /// `memberCount`: how many sharers there may be; numbers below it are members.
  init(memberCount: Int) {
    wordCount = (memberCount + 63) / 64
    let empty = [UInt64](repeating: 0, count: wordCount)
    words = [empty]
    numbers = [empty: SharerSets.none]
  }

  /// Numbers of sets that are kept.
  var indices: Range<Int> { words.indices }

  /// The set of one sharer.
  mutating func single(_ member: Int) -> UInt16 {
    var bits = words[0]
    bits[member / 64] |= 1 << UInt64(member % 64)
    return number(of: bits)
  }

  mutating func union(_ one: UInt16, _ other: UInt16) -> UInt16 {
    if one == other || other == SharerSets.none { return one }
    if one == SharerSets.none { return other }
    if one == SharerSets.tooMany || other == SharerSets.tooMany { return SharerSets.tooMany }
    let pair = UInt32(min(one, other)) << 16 | UInt32(max(one, other))
    if last.pair == pair { return last.union }
    let union = unions[pair] ?? makeUnion(one, other)
    unions[pair] = union
    last = (pair, union)
    return union
  }

  private mutating func makeUnion(_ one: UInt16, _ other: UInt16) -> UInt16 {
    number(of: zip(words[Int(one)], words[Int(other)]).map { $0 | $1 })
  }

  private mutating func number(of bits: [UInt64]) -> UInt16 {
    if let known = numbers[bits] { return known }
    guard words.count < Int(SharerSets.tooMany) else { return SharerSets.tooMany }
    let number = UInt16(words.count)
    words.append(bits)
    numbers[bits] = number
    return number
  }

  /// The members of a set, ascending.
  func members(_ set: Int) -> [Int] {
    words[set].enumerated().flatMap { index, word in
      var word = word
      var members: [Int] = []
      while word != 0 {
        members.append(index * 64 + word.trailingZeroBitCount)
        word &= word - 1
      }
      return members
    }
  }
}
