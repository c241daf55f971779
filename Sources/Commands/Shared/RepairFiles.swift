internal import ArgumentParser
internal import PersistentData

/// Input and output of a repair.
struct RepairFiles: ParsableArguments {
  @Option(
    name: .attached("i"),
    help: ArgumentHelp("The damaged metadata; it is only read.", valueName: "file"))
  var input: String
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("The metadata device or file to overwrite.", valueName: "file"))
  var output: String?
  @Flag(name: .customLong("dry-run"), help: "Write no metadata, only say what would come back.")
  var isDryRun = false
  @Option(
    help: ArgumentHelp(
      "Write what came back and what did not to this file, as JSON.", valueName: "file"))
  var report: String?
  // Old versions of LVM pass an empty argument here.
  @Argument(help: .hidden) var ignored: String?

  func validate() throws {
    if output == nil, !isDryRun { throw ValidationError("--output is missing (or --dry-run)") }
    if output != nil, isDryRun {
      throw ValidationError("--dry-run can't be used with --output: it writes no metadata")
    }
  }
}

/// The report of a repair, as a JSON document.
protocol RepairReport {
  var common: RepairReportHead { get set }
  /// Writes this target's own options that shaped the result.
  func writeOptions(_ json: inout JSONWriter)
  /// Writes this target's own fields.
  func writeResult(_ json: inout JSONWriter)
}

extension RepairReport {
  func writeOptions(_ json: inout JSONWriter) {}
}

/// What all repair reports have in common.
struct RepairReportHead {
  static let version = 1

  let tool: String
  let input: String
  /// About how many blocks the output needs; set if they were only counted.
  var neededBlocks: UInt64?
  /// The lines for people.
  var summary: [String] = []
  /// Why nothing sound was written.
  var failure: Failure?

  init(tool: String, input: String) {
    self.tool = tool
    self.input = input
  }
}

extension Tool {
  /// Repairs, prints the result, and writes the report if one is wanted. `body`: does the job; its
  /// output is `nil` in a dry run. If it leaves a failure in the report, the summary is printed all
  /// the same.
  func repair<Report: RepairReport>(
    _ files: RepairFiles, _ report: Report, of kind: MetadataTarget,
    _ body: (BlockFile, BlockFile?, inout Report) throws(Failure) -> Void
  ) throws(Failure) {
    var report = report
    var sink: ByteSink?
    if let path = files.report {
      sink = try openSink(
        path, sparing: [files.input, files.output].compactMap { $0 }, as: "the report")
    }
    do throws(Failure) { try repair(files, &report, of: kind, body) } catch {
      report.common.failure = error
    }
    if let sink {
      do throws(Failure) { try write(report, files, to: sink) } catch {
        throw Failure(report: error, report.common.failure, output: files.output)
      }
    }
    if let failure = report.common.failure { throw failure }
  }

  private func repair<Report: RepairReport>(
    _ files: RepairFiles, _ report: inout Report, of kind: MetadataTarget,
    _ body: (BlockFile, BlockFile?, inout Report) throws(Failure) -> Void
  ) throws(Failure) {
    let source = try openInput(files.input, .read, .salvage, for: kind)
    var target: BlockFile?
    if let output = files.output {
      target = try openOutput(output)
      if source.isSame(as: output) {
        throw Failure(
          .outputRefused,
          "input and output are the same: repair never works in place; name another device or file")
      }
    }
    let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
    try body(source, target, &report)
    _ = consume bar
    if let needed = report.common.neededBlocks {
      let size = NewSize.blocks(needed: needed, old: source.blockCount)
      shared.messages.say(
        "Nothing is written. New metadata takes about \(needed * 4) KiB; make NEW \(size * 4) KiB "
          + "or more. A repair would say:")
    }
    for line in report.common.summary { shared.messages.say(line) }
  }

  /// Writes what was found to the output, or counts the blocks needed.
  func restore(
    _ salvage: some RestorableSalvage, from source: BlockFile, to target: BlockFile?,
    _ files: RepairFiles, _ report: inout some RepairReport
  ) throws(Failure) {
    do throws(WriteError) {
      if let target {
        try salvage.restore(to: target)
      } else {
        report.common.neededBlocks = try salvage.neededBlocks(on: source.blockCount)
      }
    } catch {
      throw Failure(error, files.output ?? files.input)
    }
  }

  private func write(
    _ report: some RepairReport, _ files: RepairFiles, to sink: ByteSink
  ) throws(Failure) {
    let head = report.common
    var json = JSONWriter(sink)
    json.object { json in
      json.head(head.tool, version: RepairReportHead.version, input: head.input)
      json.field("output", files.output)
      json.field("dry_run", files.isDryRun)
      report.writeOptions(&json)
      json.field("exit_status", Int((head.failure?.status ?? .success).rawValue))
      json.field("failure", head.failure?.message)
      report.writeResult(&json)
      json.field("needed_metadata_blocks", head.neededBlocks)
      json.array("summary") { json in for line in head.summary { json.element(line) } }
    }
    do throws(ByteSink.Failure) { try json.finish() } catch { throw Failure(error) }
    try commit(sink)
  }
}

extension Failure {
  /// A report that could not be written, whatever the result of the repair. `earlier`: why the
  /// repair failed.
  fileprivate init(report failure: Failure, _ earlier: Failure?, output: String?) {
    if failure.status == .success {
      // The report went to standard output, and its reader has left.
      self = earlier ?? failure
    } else if let earlier {
      self.init(earlier.status, "\(earlier.message)\nThere is no report: \(failure.message)")
    } else if let output {
      self.init(
        .inputOutput,
        "there is no report: \(failure.message); the new metadata in '\(output)' is whole")
    } else {
      self.init(.inputOutput, "there is no report: \(failure.message)")
    }
  }
}
