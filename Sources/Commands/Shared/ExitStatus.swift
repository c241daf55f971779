internal import ArgumentParser
internal import Glibc
internal import PersistentData

/// The exit status of tools. Never 2: LVM takes that for "the tool is missing" and activates
/// unchecked.
///
/// The numbers above 63 are those of sysexits.h.
enum ExitStatus: Int32, CaseIterable {
  /// Sound, or done.
  case success = 0
  /// The metadata is damaged, or nothing sound could be written.
  case damaged = 1
  /// The command line makes no sense.
  case usage = 64
  /// The input is not metadata at all.
  case notMetadata = 65
  /// The input doesn't exist.
  case noInput = 66
  /// The output can't be used: too small, the input itself, in use, not writable.
  case outputRefused = 73
  /// Reading or writing failed.
  case inputOutput = 74

  /// In a few words, for a list.
  var meaning: String {
    switch self {
    case .success: "sound, or done"
    case .damaged: "damaged"
    case .usage: "wrong command line"
    case .notMetadata: "not metadata"
    case .noInput: "no such input"
    case .outputRefused: "output refused"
    case .inputOutput: "I/O error"
    }
  }

  var code: ExitCode { ExitCode(rawValue) }
}

/// Why a tool fails, in words for the user.
struct Failure: Error {
  let status: ExitStatus
  /// What is wrong and what to do, a sentence or two; empty if everything has been said.
  let message: String

  init(_ status: ExitStatus, _ message: String = "") {
    self.status = status
    self.message = message
  }

  /// A failure to write text. If the reader of standard output has gone, the tool ends, but with
  /// success: a reader that takes one line of a dump got what it wanted.
  init(_ failure: ByteSink.Failure) {
    switch failure {
    case .readerGone: self.init(.success)
    case .failed(let error): self.init(output: error)
    }
  }

  /// A failure to open or read the input.
  init(input error: IOError) {
    switch error {
    case .notFound: self.init(.noInput, "\(error)")
    case .cannotOpen(let path, ENOTDIR): self.init(input: .notFound(path: path))
    case .notAFileOrDevice, .notAFile, .tooSmall, .cannotOpen(_, EISDIR):
      self.init(.notMetadata, "\(error)")
    case .readFailed(let path, _, EIO):
      self.init(
        .inputOutput,
        "\(error). Copy what can be read, and go on with the copy:\n  "
          + CopyCommand.text(path, isFailing: true))
    case .inUse, .readOnly, .cannotOpen, .readFailed, .writeFailed, .ended, .callFailed:
      self.init(.inputOutput, "\(error)")
    }
  }

  /// A failure to open or write the output.
  init(output error: IOError) {
    switch error {
    case .writeFailed, .readFailed, .ended, .callFailed: self.init(.inputOutput, "\(error)")
    case .notFound(let path):
      self.init(
        .outputRefused,
        "there is no output '\(path)'; make a file of the right size first (truncate -s), or name "
          + "a device")
    case .notAFileOrDevice, .notAFile, .tooSmall, .inUse, .readOnly, .cannotOpen:
      self.init(.outputRefused, "output refused: \(error)")
    }
  }
}
