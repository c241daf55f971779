internal import PersistentData

extension Tool {
  /// Fails unless the contents of `path` may be overwritten: with `--force`, or if the user agrees
  /// when asked. Doesn't ask if there is nothing of value.
  func confirmOverwriting(_ path: String, isForced: Bool) throws(Failure) {
    // Errors here are reported later, when the file is opened for writing.
    guard !isForced, let file = try? BlockFile(path, .readInUse),
      let kind = try? InputKind(of: file),
      let name = kind.nameOfValue
    else { return }
    if !shared.quiet {
      let question = "'\(path)' holds \(name). Overwrite it? [y/n] "
      try? ByteSink.standardError.write(question.printable)
      if let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) { return }
    }
    throw Failure(.outputRefused, "'\(path)' holds \(name); --force overwrites it")
  }
}

extension InputKind {
  /// Whether this is known not to be metadata.
  var isForeign: Bool {
    switch self {
    case .metadata, .zeroes, .unknown: false
    case .unfinished, .undo, .xml, .pack, .foreign: true
    }
  }

  /// The name, if this should not be lost by mistake; otherwise `nil`.
  fileprivate var nameOfValue: String? {
    switch self {
    case .metadata(.thinSuperblock), .metadata(.cacheSuperblock), .metadata(.eraSuperblock),
      .undo, .foreign:
      name
    case .metadata, .unfinished, .xml, .pack, .zeroes, .unknown: nil
    }
  }
}
