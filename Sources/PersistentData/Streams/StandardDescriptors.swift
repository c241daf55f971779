internal import CSystem

/// Standard input, output and error, as inherited.
package enum StandardDescriptors {
  /// Opens closed ones to /dev/null: otherwise the next file opened, such as the metadata itself,
  /// gets such a number, and our own messages are written into it.
  ///
  /// Must be called before any file is opened. Returns whether all three are open.
  package static func openAll() -> Bool { dmm_open_standard_descriptors() }
}
