extension Sequence<UInt64> {
  /// The sum of numbers from disk, which can be anything; capped at the maximum.
  package var cappedSum: UInt64 {
    reduce(0) { sum, number in
      let (next, overflow) = sum.addingReportingOverflow(number)
      return overflow ? .max : next
    }
  }
}
