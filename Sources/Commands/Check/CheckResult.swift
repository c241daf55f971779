internal import PersistentData

/// What came of a check: what the metadata is like, or why that can't be told.
struct CheckResult<Report: MetadataReport> {
  /// `nil` when it never came to a check.
  var report: Report?
  /// Whether anything had to be mended, and was.
  var isMended = false
  /// What a check has found since then; `nil` when it could not be made, or nobody asks.
  var left: Findings?
  /// Where that can be undone from.
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

/// What metadata is worth in the end, by the name that programs see.
enum CheckVerdict: String, CaseIterable {
  /// Nothing worse than warnings; what was mended in place counts no more.
  case sound
  /// Space is lost, and nothing else.
  case leaking
  /// Data is unreachable or at risk.
  case damaged
  /// The input is something else.
  case notMetadata = "not_metadata"
  /// The check could not be made, or what it found could not be mended.
  case failed
}
