/// The bytes that the fields of a structure take, to see that they take all of them once.
public struct FieldRanges {
  /// Where something is wrong, as a sentence; empty when every byte belongs to one field.
  public private(set) var faults: [String] = []

  /// `ranges`: each field's bytes; together they must be `0..<size`.
  public init(_ ranges: [Range<Int>], cover size: Int) {
    var next = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      let start = range.lowerBound
      if start > next { faults.append("no field for bytes \(next)..<\(start)") }
      if start < next { faults.append("two fields for byte \(start)") }
      next = max(next, range.upperBound)
    }
    if next != size { faults.append("the last field ends at \(next), the structure at \(size)") }
  }
}
