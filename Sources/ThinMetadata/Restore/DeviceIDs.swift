/// The ids of the devices that have come so far, in any order: a bit for each possible id up to the
/// highest one.
struct DeviceIDs: Sendable {
  private var words: [UInt64] = []
  private var highest: UInt64?
  /// Whether each id was higher than the one before.
  private(set) var isAscending = true

  /// Takes in an id that a device can have; returns whether it is new.
  mutating func insert(_ id: UInt64) -> Bool {
    let (word, bit) = (Int(id / 64), UInt64(1) << (id % 64))
    if word >= words.count {
      words += Array(repeating: 0, count: max(word + 1, 2 * words.count) - words.count)
    }
    guard words[word] & bit == 0 else { return false }
    words[word] |= bit
    if let highest, id < highest { isAscending = false }
    highest = max(highest ?? id, id)
    return true
  }
}
