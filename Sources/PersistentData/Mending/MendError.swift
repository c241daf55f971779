/// Why metadata could not be mended in place.
package enum MendError: Error, Equatable {
  /// What was to be overwritten could not be kept, so nothing was changed.
  case undoFile(IOError)
  case device(IOError)
}
