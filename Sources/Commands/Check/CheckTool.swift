internal import ArgumentParser
internal import PersistentData

/// A tool that says whether a target's metadata can be trusted, and mends in place what it can.
protocol CheckTool: Tool {
  associatedtype Report: MetadataReport

  static var target: MetadataTarget { get }
  var options: CheckOptions { get }
  /// Whether to mend in place what can be mended.
  var mends: Bool { get }
  /// How the input is opened.
  var access: BlockFile.Access { get }

  /// Fails if something that should be checked doesn't exist.
  func requireParts(of file: BlockFile) throws(Failure)
  /// Makes the requested checks. Throws only when no check can be made at all.
  func report(of file: BlockFile) throws(IOError) -> Report
  /// Lines of numbers for programs to parse.
  func numbers(_ report: Report) -> String?
  /// What the user should know and do next.
  func advice(_ report: Report, _ result: CheckResult<Report>, isWatched: Bool) -> [String]
  /// Writes the JSON fields that only this target has.
  func write(_ report: Report, _ json: inout JSONWriter)
}

extension CheckTool {
  var access: BlockFile.Access { mends ? .write : .read }

  func requireParts(of file: BlockFile) {}
  func numbers(_ report: Report) -> String? { nil }

  func run() throws(Failure) {
    if let undo = options.undo { return try putBack(undo) }
    var result = CheckResult<Report>(letsLeaksPass: options.ignoreNonFatalErrors)
    do throws(Failure) { try examine(&result) } catch { result.failure = error }
    // A JSON document is always complete.
    let isWatched = options.format == .json || ByteSink.standardError.isTerminal
    let advice =
      result.failure == nil
      ? result.report.map { self.advice($0, result, isWatched: isWatched) } ?? [] : []
    let unheard: ByteSink.Failure?
    switch options.format {
    case .text: unheard = say(result, advice)
    case .json: unheard = write(result, advice)
    }
    if let failure = result.failure {
      throw options.format == .json && unheard == nil ? Failure(failure.status) : failure
    }
    // The state of the metadata determines the exit status even if the output could not be written.
    if result.status != .success { throw Failure(result.status) }
    if let unheard { throw Failure(unheard) }
  }

  private func examine(_ result: inout CheckResult<Report>) throws(Failure) {
    // Fail now rather than after the check.
    if let undoFile = options.undoFile, ByteSink.exists(undoFile) {
      throw Failure(existingUndoFile: undoFile)
    }
    let file = try openInput(options.input, access, for: Self.target)
    try refuseForeignInput(file, options.input, for: Self.target)
    try requireParts(of: file)
    let report: Report
    do throws(IOError) {
      let bar = ProgressBar(file.progress, isQuiet: shared.quiet)
      report = try self.report(of: file)
      _ = consume bar
    } catch {
      throw Failure(input: error)
    }
    result.report = report
    result.isMended = try mend(report, file)
    guard result.isMended else { return }
    result.undoFile = options.undoFile
    if !shared.quiet { result.left = report.findingsLeft(in: file) }
  }

  /// Prints the result. Returns why standard output could not be written, if it couldn't.
  private func say(_ result: CheckResult<Report>, _ advice: [String]) -> ByteSink.Failure? {
    guard let report = result.report else { return nil }
    var unheard: ByteSink.Failure?
    if !shared.quiet, let numbers = numbers(report) {
      do throws(ByteSink.Failure) { try ByteSink.standardOutput.write(numbers) } catch {
        unheard = error
      }
    }
    // A cron job shouldn't send mail about sound metadata.
    let isSound = result.verdict == .sound && !result.isMended
    shared.messages.say(
      report.findings, onlyCalling: isSound && !ByteSink.standardError.isTerminal)
    for line in advice { shared.messages.say(line) }
    return unheard
  }

  /// Writes the result as JSON; if that fails, prints what is wrong with the metadata.
  private func write(_ result: CheckResult<Report>, _ advice: [String]) -> ByteSink.Failure? {
    do throws(ByteSink.Failure) {
      try CheckDocument(self, result, advice: advice).write(to: .standardOutput)
      return nil
    } catch {
      if let report = result.report, result.status != .success {
        shared.messages.say(report.findings)
        for line in advice { shared.messages.say(line) }
      }
      return error
    }
  }

  /// Returns whether anything had to be mended, and was.
  private func mend(_ report: Report, _ file: BlockFile) throws(Failure) -> Bool {
    guard mends, report.isComplete, report.findings.worst != .error, report.needsMending
    else { return false }
    do throws(MendError) { try report.mend(file, keepingUndoAt: options.undoFile) } catch {
      throw Failure(error, Self.target, undoFile: options.undoFile, device: options.input)
    }
    return true
  }
}

// MARK: Options that exclude each other

extension CheckTool {
  /// Throws if options contradict each other. `parts`: options that leave something out. `others`:
  /// further options of this target that can't be used with `--undo`.
  func validate(
    parts: [(isSet: Bool, name: String)], others: [(isSet: Bool, name: String)] = []
  ) throws(ValidationError) {
    if options.undoFile != nil, !mends {
      let flags = others.map(\.name).filter { $0 == "--clear-needs-check-flag" }
      throw ValidationError(
        "--undo-file needs \((["--auto-repair"] + flags).joined(separator: " or ")): nothing else "
          + "is overwritten")
    }
    if options.undo != nil {
      let given = [
        (options.superBlockOnly, "--super-block-only"), (options.format == .json, "--format json"),
        (options.ignoreNonFatalErrors, "--ignore-non-fatal-errors"),
        (options.autoRepair, "--auto-repair"), (options.undoFile != nil, "--undo-file"),
      ]
      for (isSet, name) in given + parts + others { try refuse(isSet, "--undo", name) }
    }
    if options.format == .json { try refuse(shared.quiet, "--format json", "--quiet") }
    guard options.autoRepair else { return }
    let given = [
      (options.ignoreNonFatalErrors, "--ignore-non-fatal-errors"),
      (options.superBlockOnly, "--super-block-only"),
    ]
    for (isSet, name) in given + parts { try refuse(isSet, "--auto-repair", name) }
  }

  func refuse(_ isSet: Bool, _ one: String, _ other: String) throws(ValidationError) {
    if isSet { throw ValidationError("\(one) can't be used with \(other)") }
  }
}
