/// Why metadata could not be mended in place.
package enum MendError: Error, Equatable {
  /// The undo file could not be written, so nothing was changed.
  case undoFile(IOError)
  case device(IOError)
}
