extension Array {
  /// The index of the first element that `precedes` doesn't hold for, as it does for all before
  /// and for none after; the array's end when it holds for all.
  @inlinable package func partitionPoint(_ precedes: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if precedes(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Array where Element: Comparable {
  /// The index of the first element that isn't below `value` in an ascending array; its end when
  /// all are below.
  @inlinable package func firstIndex(from value: Element) -> Int { partitionPoint { $0 < value } }
}
