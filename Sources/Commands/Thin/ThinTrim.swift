internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_trim`: gives the free space of a pool back to the device below its data device.
struct ThinTrim: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_trim", abstract: "Discard the free space of a thin pool's data device.",
    version: Toolbox.version)

  @Option(help: ArgumentHelp("The pool's metadata device or file.", valueName: "file"))
  var metadataDev: String
  @Option(help: ArgumentHelp("The pool's data device.", valueName: "file"))
  var dataDev: String
  @Flag(name: .customLong("dry-run"), help: "Say what would be discarded, and discard nothing.")
  var isDryRun = false
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    let metadata = try openInput(metadataDev, .read)
    try refuseSame([metadataDev, dataDev])
    let device = try openData(dataDev, isDryRun ? .read : .write)
    let pool = try checkedPool(metadata, metadataDev)
    try refuseMetadata(metadata, as: device)
    try refuseShortData(device, blocks: pool.dataBlockCount, of: pool.blockBytes)
    guard device.discardLimits.takesDiscards else {
      throw Failure(
        .outputRefused, "'\(dataDev)' doesn't support discards, so no space can be given back"
      )
    }
    let trim = Trim(device, unused: pool.unusedData(), blockBytes: pool.blockBytes)
    for line in notes(trim, pool, device) { shared.messages.say(line) }
    if isDryRun { return try print([summary("would discard", trim.bytes, trim, pool)]) }
    let outcome: Trim.Outcome
    do {
      let bar = ProgressBar(device.progress, isQuiet: shared.quiet)
      outcome = trim.run()
      _ = consume bar
    }
    if let cause = outcome.cause { throw failure(outcome, cause) }
    try print([summary("discarded", outcome.discardedBytes, trim, pool)])
  }

  private func summary(
    _ verb: String, _ bytes: UInt64, _ trim: Trim, _ pool: CheckedPool
  ) -> String {
    "\(verb) \(ByteCount.text(bytes)), \(bytes / max(1, pool.blockBytes)) of "
      + "\(pool.dataBlockCount) blocks, in \(trim.ranges.count) "
      + (trim.ranges.count == 1 ? "range" : "ranges")
  }

  /// Remarks on what isn't discarded.
  private func notes(_ trim: Trim, _ pool: CheckedPool, _ device: DataDevice) -> [String] {
    var notes: [String] = []
    if pool.hasLeaks {
      notes.append(
        "The pool has leaked blocks, which stay as they are: 'thin_check --auto-repair "
          + "\(ShellWord(metadataDev))' makes them free.")
    }
    if trim.effectiveBytes < trim.bytes {
      notes.append(
        "'\(dataDev)' takes space back in pieces of "
          + "\(ByteCount.text(device.discardLimits.granularityBytes)), so "
          + "\(ByteCount.text(trim.effectiveBytes)) of the \(ByteCount.text(trim.bytes)) that are "
          + "free can be given back.")
    }
    return notes
  }

  private func failure(_ outcome: Trim.Outcome, _ cause: IOError) -> Failure {
    if cause.isUnsupported, outcome.discardedBytes == 0 {
      return Failure(.inputOutput, "'\(dataDev)' can't discard: \(cause). Nothing was discarded")
    }
    let places = outcome.failed.map { "\($0.lowerBound) to \($0.upperBound)" }
    return Failure(
      .inputOutput,
      "\(ByteCount.text(outcome.failedBytes)) could not be discarded (bytes "
        + "\(places.firstFew(places.count))): \(cause). The rest, "
        + "\(ByteCount.text(outcome.discardedBytes)), was")
  }
}
