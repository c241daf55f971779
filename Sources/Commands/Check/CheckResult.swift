internal import PersistentData

/// The result of a check: the state of the metadata, or why the check failed.
struct CheckResult<Report: MetadataReport> {
  /// `nil` when no check was made.
  var report: Report?
  /// Whether anything had to be mended, and was.
  var isMended = false
  /// What another check found after mending; `nil` when it could not be made, or isn't wanted.
  var left: Findings?
  /// The undo file for the mending.
  var undoFile: String?
  /// Why the check, or the mending after it, could not be made.
  var failure: Failure?
  let letsLeaksPass: Bool

  init(letsLeaksPass: Bool) { self.letsLeaksPass = letsLeaksPass }

  var verdict: CheckVerdict {
    if let failure { return failure.status == .notMetadata ? .notMetadata : .failed }
    switch report?.findings.worst {
    case .error: return .damaged
    case .leak: return isMended ? .sound : .leaking
    case .warning, .note, nil: return .sound
    }
  }

  var status: ExitStatus {
    switch verdict {
    case .sound: .success
    case .leaking: letsLeaksPass ? .success : .damaged
    case .damaged: .damaged
    case .notMetadata, .failed: failure?.status ?? .inputOutput
    }
  }
}

/// The verdict on the metadata in the end, with its name in JSON.
enum CheckVerdict: String, CaseIterable {
  /// Nothing worse than warnings, not counting what was mended in place.
  case sound
  /// Only space is lost.
  case leaking
  /// Data is unreachable or at risk.
  case damaged
  /// The input is something else.
  case notMetadata = "not_metadata"
  /// The check could not be made, or what it found could not be mended.
  case failed
}
