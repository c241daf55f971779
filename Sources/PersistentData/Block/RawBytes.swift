/// Bytes in an array, read and changed by offset like those of a block.
extension [UInt8] {
  var rawBytes: RawSpan {
    // An array's bytes are always initialized.
    @_lifetime(borrow self) get { unsafe span.bytes }
  }

  /// Lends them all for writing.
  mutating func edit<Result, Failure: Error>(
    _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var span = mutableSpan
    // Any bit pattern is a valid byte.
    var bytes = unsafe span.mutableBytes
    return try body(&bytes)
  }
}
