internal import CSystem

/// What one pass over the values of an array block finds, where each is 0, or a number above some
/// flags.
package struct NumberScan: Sendable {
  /// What the values look like.
  package struct Form: Sendable {
    /// Bits below the number.
    package let flagBits: UInt64
    /// The flag that a number needs to count.
    package let valid: UInt64
    /// Another flag, which is asked for.
    package let marked: UInt64
    /// Those flags that a sound value doesn't have, but for the valid one, which it has.
    package let checked: UInt64
    /// All sound values are below this.
    package let end: UInt64

    package init(
      flagBits: UInt64, valid: UInt64, marked: UInt64, checked: UInt64, end: UInt64
    ) {
      self.flagBits = flagBits
      self.valid = valid
      self.marked = marked
      self.checked = checked
      self.end = end
    }
  }

  /// The most values that are looked at; a block has fewer.
  package static let limit = 512
  /// A bit for each value, 64 a word.
  package typealias Words = InlineArray<8, UInt64>

  /// Which values are not 0, and which have the flag that was asked for.
  package private(set) var used = Words(repeating: 0)
  package private(set) var marked = Words(repeating: 0)
  /// Whether every value is 0 or sound.
  package private(set) var allAreSound = true
  /// Room for as many as there are values, and four more.
  private var buffer = InlineArray<516, UInt32>(repeating: 0)
  private var count = 0

  /// The lowest 32 bits of the numbers that count, in order.
  package var numbers: Span<UInt32> {
    @_lifetime(borrow self) get { buffer.span.extracting(0..<count) }
  }

  /// `values`: as they stand on disk, no more than fit in a block.
  package init(of values: Span<UInt64>, _ form: Form) {
    // The C function relies on the length.
    precondition(values.count <= NumberScan.limit)
    let form = dmm_form(
      shift: form.flagBits, valid: form.valid, marked: form.marked, flags: form.checked,
      end: form.end)
    var (used, marked, count) = (used, marked, 0)
    do {
      var usedWords = used.mutableSpan
      var markedWords = marked.mutableSpan
      var numbers = buffer.mutableSpan
      allAreSound = unsafe values.withUnsafeBufferPointer { values in
        unsafe usedWords.withUnsafeMutableBufferPointer { used in
          unsafe markedWords.withUnsafeMutableBufferPointer { marked in
            unsafe numbers.withUnsafeMutableBufferPointer { numbers in
              unsafe dmm_numbers(
                values.baseAddress, values.count, form, used.baseAddress, marked.baseAddress,
                numbers.baseAddress, &count)
            }
          }
        }
      }
    }
    (self.used, self.marked, self.count) = (used, marked, count)
  }
}
