/// Bytes in an array, looked at and changed by their places, as those of a block are.
extension [UInt8] {
  var rawBytes: RawSpan {
    // Whatever bytes there are, they are initialized.
    @_lifetime(borrow self) get { unsafe span.bytes }
  }

  /// Lends them all for writing.
  mutating func edit<Result, Failure: Error>(
    _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var span = mutableSpan
    // Any byte is a valid one.
    var bytes = unsafe span.mutableBytes
    return try body(&bytes)
  }
}
