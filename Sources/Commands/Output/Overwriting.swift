internal import PersistentData

extension Tool {
  /// Stops unless what stands at `path` may be overwritten: with `--force`, or when whoever is
  /// asked says so. Where there is nothing that anybody would miss, nobody is asked.
  func confirmOverwriting(_ path: String, isForced: Bool) throws(Failure) {
    // What can't be read here is told by whoever opens it to write.
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
  /// Whether this is known to be something else than metadata.
  var isForeign: Bool {
    switch self {
    case .metadata, .zeroes, .unknown: false
    case .unfinished, .undo, .xml, .pack, .foreign: true
    }
  }

  /// The name of what should not be lost by mistake; `nil` for anything else.
  fileprivate var nameOfValue: String? {
    switch self {
    case .metadata(.thinSuperblock), .metadata(.cacheSuperblock), .metadata(.eraSuperblock),
      .undo, .foreign:
      name
    case .metadata, .unfinished, .xml, .pack, .zeroes, .unknown: nil
    }
  }
}
