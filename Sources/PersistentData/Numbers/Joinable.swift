/// Something that covers consecutive numbers and may be continued by what follows.
///
/// The type decides what belongs together; the array and `Joiner` do the joining.
@usableFromInline
package protocol Joinable {
  /// Absorbs `next` if it continues this one. Returns whether it did.
  mutating func join(_ next: Self) -> Bool
}

extension Array where Element: Joinable {
  /// Joins `next` to the last element, or appends it.
  @inlinable package mutating func appendJoining(_ next: Element) {
    if isEmpty || !self[count - 1].join(next) { append(next) }
  }
}

/// Joins elements that come one by one, and returns each once nothing continues it.
@usableFromInline
package struct Joiner<Element: Joinable> {
  @usableFromInline var open: Element?

  @inlinable package init() {}

  /// Adds an element. Returns the one that ends before it, if any.
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
    guard next.lowerBound >= lowerBound,
      next.lowerBound <= upperBound || next.lowerBound - 1 == upperBound
    else { return false }
    self = lowerBound...Swift.max(upperBound, next.upperBound)
    return true
  }
}

/// Ranges that overlap or touch are one.
extension Range<UInt64>: Joinable {
  @inlinable package mutating func join(_ next: Range<UInt64>) -> Bool {
    guard next.lowerBound >= lowerBound, next.lowerBound <= upperBound else { return false }
    self = lowerBound..<Swift.max(upperBound, next.upperBound)
    return true
  }
}
