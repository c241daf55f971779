internal import ArgumentParser
internal import PersistentData

/// A tool that says whether a target's metadata can be trusted, and mends in place what can be
/// mended there.
protocol CheckTool: Tool {
  associatedtype Report: MetadataReport

  static var target: MetadataTarget { get }
  var options: CheckOptions { get }
  /// Whether what can be mended in place is to be.
  var mends: Bool { get }
  /// How the input is opened.
  var access: BlockFile.Access { get }

  /// Stops where something that is to be looked at is not there.
  func requireParts(of file: BlockFile) throws(Failure)
  /// Checks what is asked for. Throws only when the check can't be made at all.
  func report(of file: BlockFile) throws(IOError) -> Report
  /// Lines of numbers that programs read.
  func numbers(_ report: Report) -> String?
  /// What a person should know and do next.
  func advice(_ report: Report, _ result: CheckResult<Report>, isWatched: Bool) -> [String]
  /// Writes the fields of a JSON document that only this target has.
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
    // A document is complete, whoever reads it.
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
    // That nobody hears what the metadata is like does not change what it is like.
    if result.status != .success { throw Failure(result.status) }
    if let unheard { throw Failure(unheard) }
  }

  private func examine(_ result: inout CheckResult<Report>) throws(Failure) {
    // Better told now than after the check.
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
    // That it can't be found out would change nothing of what was done.
    if !shared.quiet { result.left = try? report.findingsLeft(in: file) }
  }

  /// Says what came of it. Returns why standard output could not be written, if it couldn't.
  private func say(_ result: CheckResult<Report>, _ advice: [String]) -> ByteSink.Failure? {
    guard let report = result.report else { return nil }
    var unheard: ByteSink.Failure?
    if !shared.quiet, let numbers = numbers(report) {
      do throws(ByteSink.Failure) { try ByteSink.standardOutput.write(numbers) } catch {
        unheard = error
      }
    }
    // Nobody wants mail about what is sound.
    let isSound = result.verdict == .sound && !result.isMended
    shared.messages.say(
      report.findings, onlyCalling: isSound && !ByteSink.standardError.isTerminal)
    for line in advice { shared.messages.say(line) }
    return unheard
  }

  /// Writes what came of it as JSON; where that fails, says what is wrong with the metadata.
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

// MARK: Options that can't stand together

extension CheckTool {
  /// Stops where options contradict each other. `parts`: those that were given and leave something
  /// out. `others`: those of this target that were given and are not for `--undo` either.
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
