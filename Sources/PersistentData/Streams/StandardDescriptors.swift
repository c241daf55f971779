internal import CSystem

/// Standard input, output and error, as the program finds them.
package enum StandardDescriptors {
  /// Opens those that are closed, to /dev/null: otherwise the next file to be opened, such as the
  /// metadata itself, takes the number of one, and our own messages are written into it.
  ///
  /// To be called before any file is opened. Returns whether all three are open.
  package static func openAll() -> Bool { dmm_open_standard_descriptors() }
}
