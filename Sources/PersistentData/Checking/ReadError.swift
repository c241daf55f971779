/// Why metadata could not be passed to a listener.
package enum ReadError<Failure: Error>: Error {
  /// The metadata is damaged; the findings say where.
  case damaged(Findings)
  /// The listener failed.
  case listener(Failure)
}
