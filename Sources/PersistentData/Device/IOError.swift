internal import Glibc

/// Why metadata could not be read or written. A fault in the metadata itself is never an error but
/// a `Finding`.
package enum IOError: Error, Equatable {
  case notFound(path: String)
  case notAFileOrDevice(path: String)
  /// Where only a regular file will do.
  case notAFile(path: String)
  /// Shorter than one metadata block.
  case tooSmall(path: String, sizeBytes: UInt64)
  /// Somebody else holds the device: an active pool, usually.
  case inUse(path: String)
  /// The device is read-only for everybody.
  case readOnly(path: String)
  case cannotOpen(path: String, errno: Int32)
  case readFailed(path: String, block: UInt64, errno: Int32)
  case writeFailed(path: String, block: UInt64, errno: Int32)
  /// The file ended before the block did: it was truncated while we read.
  case ended(path: String, block: UInt64)
  /// A C library call other than reading and writing failed.
  case callFailed(call: String, errno: Int32)
}

extension IOError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notFound(let path): "there is no file or device '\(path)'"
    case .notAFileOrDevice(let path): "'\(path)' is neither a regular file nor a block device"
    case .notAFile(let path): "'\(path)' is no regular file"
    case .tooSmall(let path, let size):
      "'\(path)' is too small to hold metadata (\(size) bytes; one block has 4096)"
    case .inUse(let path):
      "'\(path)' is in use; deactivate the pool first, or read its metadata snapshot"
    case .readOnly(let path):
      "'\(path)' is a read-only device, as LVM's VG/POOL_tmeta always is"
    case .cannotOpen(let path, let code): "can't open '\(path)': \(IOError.reason(code))"
    case .readFailed(let path, let block, let code):
      "can't read block \(block) of '\(path)': \(IOError.reason(code))"
    case .writeFailed(let path, let block, let code):
      "can't write block \(block) of '\(path)': \(IOError.reason(code))"
    case .ended(let path, let block): "'\(path)' ends before block \(block) does"
    case .callFailed(let call, let code): "\(call) failed: \(IOError.reason(code))"
    }
  }

  /// Whether the device or the file system doesn't support the operation at all.
  package var isUnsupported: Bool {
    if case .callFailed(_, EOPNOTSUPP) = self { true } else { false }
  }

  /// The system's words for an errno, in lower case for use inside a sentence.
  package static func reason(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text).lowercasedFirst
  }
}

extension String {
  fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
