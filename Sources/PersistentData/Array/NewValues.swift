/// Values of an array that come one by one, with gaps between them, and are handed on many at a
/// time.
@usableFromInline
package struct NewValues<Value: FixedWidthInteger & Sendable>: Sendable {
  /// As many as fit in a few blocks.
  @usableFromInline static var limit: Int { 4096 }

  @usableFromInline var values: [Value] = []

  package init() {}

  /// Appends a value after `gap` zeroes. Returns `false`, and does nothing, if there is no room.
  @inlinable package mutating func append(_ value: Value, after gap: UInt64) -> Bool {
    guard gap < NewValues.limit - values.count else { return false }
    for _ in 0..<gap { values.append(0) }
    values.append(value)
    return true
  }

  /// Returns all values, and starts anew.
  package mutating func takeAll() -> [Value] {
    let all = values
    values = []
    values.reserveCapacity(NewValues.limit)
    return all
  }
}
