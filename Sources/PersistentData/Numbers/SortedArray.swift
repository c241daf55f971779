extension Array where Element: Comparable {
  /// The index of the first element that isn't below `value` in an ascending array; its end when
  /// all are below.
  @inlinable package func firstIndex(from value: Element) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
