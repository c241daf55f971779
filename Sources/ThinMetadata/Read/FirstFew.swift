extension Collection where Element: CustomStringConvertible {
  /// "0, 2, 3"; of more than `most` the first ones, and how many more there are.
  package func firstFew(_ most: Int) -> String {
    let rest = count - Swift.min(count, most)
    return prefix(most).map(\.description).joined(separator: ", ")
      + (rest > 0 ? " and \(rest) more" : "")
  }
}

extension [UInt64] {
  /// Ids of devices in words: the first few, or "none".
  package var deviceIDs: String { isEmpty ? "none" : firstFew(20) }
}
