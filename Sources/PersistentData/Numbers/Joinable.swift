/// Something that covers numbers one after the other, and may go on in what comes right after it.
///
/// What belongs together the type says; the array and `Joiner` put it together.
@usableFromInline
package protocol Joinable {
  /// Takes `next`, which begins no lower, in if it belongs to this one and continues it. Returns
  /// whether it does.
  mutating func join(_ next: Self) -> Bool
}

extension Array where Element: Joinable {
  /// Has the last element take `next` in, or appends it.
  @inlinable package mutating func appendJoining(_ next: Element) {
    if isEmpty || !self[count - 1].join(next) { append(next) }
  }
}

/// Puts together what comes one by one, and hands out what nothing continues.
@usableFromInline
package struct Joiner<Element: Joinable> {
  @usableFromInline var open: Element?

  @inlinable package init() {}

  /// Takes an element. Returns the one that ends before it, if there is one.
  @inlinable package mutating func add(_ next: Element) -> Element? {
    if open?.join(next) == true { return nil }
    defer { open = next }
    return open
  }

  /// The last element.
  @inlinable package mutating func finish() -> Element? {
    defer { open = nil }
    return open
  }
}

extension Joiner: Sendable where Element: Sendable {}

/// Ranges that overlap or touch are one.
extension ClosedRange<UInt64>: Joinable {
  @inlinable package mutating func join(_ next: ClosedRange<UInt64>) -> Bool {
    guard next.lowerBound <= upperBound || next.lowerBound - 1 == upperBound else { return false }
    self = lowerBound...Swift.max(upperBound, next.upperBound)
    return true
  }
}

/// Ranges that overlap or touch are one.
extension Range<UInt64>: Joinable {
  @inlinable package mutating func join(_ next: Range<UInt64>) -> Bool {
    guard next.lowerBound <= upperBound else { return false }
    self = lowerBound..<Swift.max(upperBound, next.upperBound)
    return true
  }
}
