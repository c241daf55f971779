/// What metadata has at a site, or should have there: in words, and as a number if it is one.
///
/// Words with one interpolated integer also set the number: `"count \(stored)"`.
package struct Evidence: Hashable, Sendable {
  /// In words; empty where a rule says it all.
  package let words: String
  /// The least and the greatest possible number, equal for an exact one; `nil` for no bound.
  package let min: UInt64?
  package let max: UInt64?

  private init(_ words: String, min: UInt64? = nil, max: UInt64? = nil) {
    self.words = words
    self.min = min
    self.max = max
  }

  /// Nothing to say.
  package static let none = Evidence("")

  /// Words without a number.
  package init(words: String) { self.init(words) }

  package static func exactly(_ number: some BinaryInteger) -> Evidence { "\(number)" }

  package static func atMost(_ number: some BinaryInteger) -> Evidence {
    Evidence("at most \(number)", max: UInt64(number))
  }

  package static func atLeast(_ number: some BinaryInteger) -> Evidence {
    Evidence("at least \(number)", min: UInt64(number))
  }

  package static func below(_ number: some BinaryInteger) -> Evidence {
    Evidence("below \(number)", max: number == 0 ? nil : UInt64(number) - 1)
  }

  package static func above(_ number: UInt64) -> Evidence {
    Evidence("> \(number)", min: number == .max ? nil : number + 1)
  }

  /// `limit`: the greatest multiple, if there is one.
  package static func multiple(of unit: UInt32, atMost limit: UInt32? = nil) -> Evidence {
    Evidence(
      "a multiple of \(unit)" + (limit.map { ", at most \($0)" } ?? ""), min: UInt64(unit),
      max: limit.map(UInt64.init))
  }

  package var isEmpty: Bool { words.isEmpty }
  /// The exact number; `nil` if there is none, or a range.
  package var number: UInt64? { min == max ? min : nil }
}

extension Evidence: ExpressibleByStringInterpolation {
  package init(stringLiteral words: String) { self.init(words) }

  package init(stringInterpolation: StringInterpolation) {
    let numbers = stringInterpolation.numbers
    let number = numbers.count == 1 ? numbers[0] : nil
    self.init(stringInterpolation.words, min: number, max: number)
  }

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var words = ""
    fileprivate var numbers: [UInt64?] = []

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ literal: String) { words += literal }

    package mutating func appendInterpolation(_ number: some BinaryInteger) {
      words += String(number)
      numbers.append(UInt64(exactly: number))
    }

    package mutating func appendInterpolation(_ part: some CustomStringConvertible) {
      words += part.description
    }
  }
}
