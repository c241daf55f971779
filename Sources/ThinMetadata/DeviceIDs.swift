/// Ids of devices in words.
package enum DeviceIDs {
  /// As many are named.
  private static let most = 20

  /// "0, 2, 3"; of very many the first few, and how many more there are. "none" without any.
  package static func text(_ ids: [UInt64]) -> String {
    if ids.isEmpty { return "none" }
    let rest = ids.count - min(ids.count, most)
    return ids.prefix(most).map(String.init).joined(separator: ", ")
      + (rest > 0 ? " and \(rest) more" : "")
  }
}
