internal import ArgumentParser
internal import MetadataXML
internal import PersistentData
internal import ThinMetadata

/// `thin_shrink`: moves data to the front of a pool's data device, so that the pool can have fewer
/// blocks.
struct ThinShrink: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_shrink",
    abstract: "Make a thin pool smaller, moving what is in the way.",
    usage: """
      thin_shrink [OPTION ...] -i FILE -o FILE --data FILE --nr-blocks COUNT
      thin_shrink --defragment [OPTION ...] -i FILE -o FILE --data FILE
      """,
    version: Toolbox.version)

  @Option(
    name: .attached("i"),
    help: ArgumentHelp("The pool's XML; with --binary, its metadata.", valueName: "file"))
  var input: String
  @Option(
    name: .attached("o"),
    help: ArgumentHelp(
      "Where the new XML goes, or the new metadata; it may be the input.", valueName: "file"))
  var output: String?
  @Option(help: ArgumentHelp("The pool's data device.", valueName: "file")) var data: String
  @Option(help: ArgumentHelp("Data blocks that the pool is to have.", valueName: "count"))
  var nrBlocks: UInt64?
  @Flag(help: "Input and output are metadata, not XML.") var binary = false
  @Flag(help: "Leave the data where it is; the new metadata is right only once it is moved.")
  var noCopy = false
  @Flag(help: "Put fragmented volumes together; the pool keeps its size. Implies --binary.")
  var defragment = false
  @Option(help: ArgumentHelp("Put together this device only; can be repeated.", valueName: "id"))
  var devID: [UInt64] = []
  @Flag(name: .customLong("dry-run"), help: "Say what would be moved, and change nothing.")
  var isDryRun = false
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    if nrBlocks == 0 { throw ValidationError("--nr-blocks is 1 or more") }
    if nrBlocks == nil, !defragment { throw ValidationError("--nr-blocks is missing") }
    if !devID.isEmpty, !defragment {
      throw ValidationError("--dev-id can only be used with --defragment")
    }
    if output == nil, !isDryRun { throw ValidationError("--output is missing (or --dry-run)") }
  }

  func run() throws(Failure) {
    try refuseSame([input, data])
    if let output { try refuseSame([output, data]) }
    if binary || defragment { try shrinkMetadata() } else { try shrinkXML() }
  }
}

// MARK: Metadata

extension ThinShrink {
  private var isInPlace: Bool { output.map { Storage.areIdentical(input, $0) } ?? false }

  private func shrinkMetadata() throws(Failure) {
    let isInPlace = isInPlace
    let file = try openInput(input, isInPlace && !isDryRun ? .write : .read)
    let target = try openTarget(file)
    let pool = try checkedPool(file, input)
    let device = try openData(data, isDryRun || noCopy ? .read : .write)
    try refuseMetadata(file, as: device)
    if !noCopy {
      try refuseShortData(device, blocks: pool.dataBlockCount, of: pool.blockBytes)
    }
    try refuseUnsettled(pool)
    let plan =
      try defragment
      ? planDefragmentation(pool) : plan(used: pool.usedData, unused: pool.unusedData())
    let shrink: MovedPool
    do throws(DumpError) { shrink = try MovedPool(pool, plan) } catch {
      throw Failure(.damaged, "the metadata can't be read any more: \(error)")
    }
    let bar = ProgressBar(file.progress, isQuiet: shared.quiet)
    if output == nil || isInPlace { try requireRoom(shrink) }
    if let target { try require(shrink, fits: target) }
    _ = consume bar
    if isDryRun { return try print(preview(plan, pool.blockBytes)) }
    if isInPlace, plan.newCount == plan.oldCount, plan.moves.count == 0 {
      return try print(
        [
          defragment
            ? "nothing is left to be put together; nothing was changed"
            : "the pool has \(plan.newCount) data blocks already; nothing was changed"
        ])
    }
    try moveData(plan, device, pool.blockBytes)
    do throws(WriteError) {
      let bar = ProgressBar((target ?? file).progress, isQuiet: shared.quiet)
      if let target { try shrink.write(to: target) } else { try shrink.writeInPlace() }
      _ = consume bar
    } catch {
      throw Failure(error, output ?? input)
    }
    try print(summary(plan, pool.blockBytes))
  }

  /// The output; `nil` if it is the input, or not given.
  private func openTarget(_ file: BlockFile) throws(Failure) -> BlockFile? {
    guard let output, !isInPlace else { return nil }
    if file.isSame(as: output) {
      throw Failure(
        .outputRefused, "output refused: '\(output)' and '\(input)' are on the same storage")
    }
    // A dry run only reads it.
    return isDryRun ? try openInput(output, .read) : try openOutput(output)
  }

  /// Fails if blocks are in use that no device of the pool maps.
  private func refuseUnsettled(_ pool: CheckedPool) throws(Failure) {
    if pool.superblock.heldRoot != 0 {
      throw Failure(
        .outputRefused,
        "the pool holds a metadata snapshot, whose blocks can't be moved. Activate the pool, "
          + "release it with 'dmsetup message VG-POOL-tpool 0 release_metadata_snap', deactivate "
          + "the pool and try again. Nothing was changed")
    }
    if pool.hasLeaks {
      shared.messages.say(pool.findings)
      throw Failure(
        .outputRefused,
        "the pool has leaked blocks, and it is not known whether they matter. 'thin_check "
          + "--auto-repair \(ShellWord(input))' makes them free. Nothing was changed"
      )
    }
  }

  /// Fails if there is no room for the new metadata beside the old; without an output, only says
  /// so.
  private func requireRoom(_ shrink: MovedPool) throws(Failure) {
    let room: (needed: UInt64, free: UInt64)
    do throws(WriteError) { room = try shrink.blocksInPlace() } catch {
      throw Failure(error, input)
    }
    // Block 0 is counted, but exists already.
    if room.needed <= room.free + 1 { return }
    let message =
      "in place, new metadata is written beside the old: that takes \(room.needed - 1) free blocks "
      + "of 4 KiB, and '\(input)' has \(room.free). Write to another device, with --output"
    if isInPlace { throw Failure(.outputRefused, message + "; nothing was changed") }
    shared.messages.say(message.prefix(1).uppercased() + message.dropFirst() + ".")
  }

  private func require(_ shrink: MovedPool, fits target: BlockFile) throws(Failure) {
    do throws(WriteError) { _ = try shrink.neededBlocks(on: target.blockCount) } catch {
      throw Failure(error, target.path)
    }
  }
}

// MARK: XML

extension ThinShrink {
  private func shrinkXML() throws(Failure) {
    if let output { try refuseSame([input, output]) }
    let source: ByteSource
    do throws(IOError) { source = try ByteSource(input) } catch { throw Failure(input: error) }
    guard source.sizeBytes != nil else {
      throw Failure(.noInput, "'\(input)' has to be a file, as it is read twice")
    }
    let device = try openData(data, isDryRun || noCopy ? .read : .write)
    let (used, header) = try readXML(source, device)
    let blockBytes = UInt64(header.dataBlockSectors) * 512
    let plan = try plan(used: used, unused: used.inverted)
    if isDryRun { return try print(preview(plan, blockBytes)) }
    guard let output else { return }
    // Once data has moved, only this XML tells where it is.
    let sink = try openSink(output, sparing: [input, data], writesThrough: true)
    if !noCopy {
      shared.messages.say(
        "XML does not tell of a metadata snapshot: if the pool has one, the data that only the "
          + "snapshot still has may be overwritten.")
    }
    try moveData(plan, device, blockBytes)
    do throws(IOError) { try source.rewind() } catch { throw Failure(input: error) }
    do throws(XMLError) {
      let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
      source.progress.begin("writing the XML", total: Int(clamping: source.sizeBytes ?? 0))
      try MovedXML.write(source, plan, to: sink)
      _ = consume bar
    } catch {
      throw Failure(error, input, output, for: .thin)
    }
    try commit(sink)
    try print(summary(plan, blockBytes))
  }

  private func readXML(
    _ source: ByteSource, _ device: DataDevice
  ) throws(Failure) -> (used: Bitset, header: PoolHeader) {
    let events = UsedDataEvents(dataBytes: noCopy ? .max : device.sizeBytes)
    do throws(XMLError) {
      let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
      source.progress.begin("reading the XML", total: Int(clamping: source.sizeBytes ?? 0))
      _ = try ThinXMLReader.read(source, overriding: PoolOverrides(), into: events)
      _ = consume bar
    } catch {
      if events.isLargerThanDevice, let header = events.header {
        try refuseShortData(
          device, blocks: header.dataBlockCount, of: UInt64(header.dataBlockSectors) * 512)
      }
      throw Failure(error, input, output ?? "", for: .thin)
    }
    guard let header = events.header else { throw Failure(.notMetadata, "'\(input)' has no pool") }
    return (events.used, header)
  }
}

// MARK: Pieces

extension ThinShrink {
  private func planDefragmentation(_ pool: CheckedPool) throws(Failure) -> MovePlan {
    if let nrBlocks, nrBlocks != pool.dataBlockCount {
      throw Failure(
        .outputRefused,
        "the pool has \(pool.dataBlockCount) data blocks, and --defragment leaves it at that: give "
          + "no --nr-blocks, and make it smaller in a second run. Nothing was changed")
    }
    let result: Defragmentation
    do throws(DumpError) {
      let bar = ProgressBar(pool.file.progress, isQuiet: shared.quiet)
      result = try Defragmentation(pool, chosen: Set(devID))
      _ = consume bar
    } catch {
      throw Failure(.damaged, "the metadata can't be read any more: \(error)")
    }
    let ids = result.pieces.map(\.device)
    let missing = Set(devID).subtracting(ids).sorted()
    guard missing.isEmpty else {
      throw Failure(
        .noInput, "there is no device \(missing.deviceIDs) in '\(input)'; it has \(ids.deviceIDs)")
    }
    announce(lines(result))
    return result.plan
  }

  private func lines(_ result: Defragmentation) -> [String] {
    let changed = result.pieces.filter { $0.before != $0.after }
    let all = "all devices: \(result.piecesBefore) pieces, \(result.piecesAfter) afterwards"
    let partial = [
      "That is not all that could be put together: run this again afterwards."
    ]
    return changed.map {
      "device \($0.device): \($0.before) pieces, \($0.after) afterwards"
    } + [all] + (result.isPartial ? partial : [])
  }
}

// MARK: Both

extension ThinShrink {
  private func plan(used: Bitset, unused: Bitset) throws(Failure) -> MovePlan {
    do throws(MovePlan.Refusal) {
      return try MovePlan(shrinkingTo: nrBlocks ?? 0, used: used, unused: unused)
    } catch {
      switch error {
      case .larger(let count):
        throw Failure(
          .outputRefused,
          "the pool has \(count) data blocks, so \(nrBlocks ?? 0) would be more. To make the pool "
            + "larger, make its data device larger; the pool then grows by itself. Nothing was "
            + "changed")
      case .noRoom(let used):
        throw Failure(
          .outputRefused,
          "\(used) data blocks are in use, so the pool can't be made as small as \(nrBlocks ?? 0). "
            + "Nothing was changed")
      }
    }
  }

  /// Copies the blocks that move; on return they are on stable storage.
  private func moveData(
    _ plan: MovePlan, _ device: DataDevice, _ blockBytes: UInt64
  ) throws(Failure) {
    if noCopy {
      return announce([
        "No data is copied: the pool is wrong until every block is where the new metadata says."
      ])
    }
    let outcome: DataMover.Outcome
    do throws(IOError) {
      let bar = ProgressBar(device.progress, isQuiet: shared.quiet)
      outcome = try DataMover(plan.moves, on: device, blockBytes: blockBytes).run()
      _ = consume bar
    } catch {
      throw Failure(.inputOutput, "\(error). The metadata was left as it was, and still is right")
    }
    if outcome.foundCount > 0 {
      announce([
        "Going on from an earlier run: \(outcome.foundCount) of \(plan.moves.count) blocks had "
          + "been copied."
      ])
    }
    guard let cause = outcome.cause else { return }
    throw Failure(
      .inputOutput,
      "\(outcome.failedCount) of \(plan.moves.count) blocks could not be copied (data blocks "
        + "\(outcome.failed.firstFew(8))): \(cause). The metadata was left as it was, and still is "
        + "right; 'thin_rmap' tells which volumes the blocks belong to")
  }

  private func size(_ blocks: UInt64, _ blockBytes: UInt64) -> String {
    "\(blocks) \(blocks == 1 ? "block" : "blocks") (\(ByteCount.text(blocks &* blockBytes)))"
  }

  private func summary(_ plan: MovePlan, _ blockBytes: UInt64) -> [String] {
    [
      "\(noCopy ? "mapped" : "moved") \(size(plan.moves.count, blockBytes)); the pool has "
        + "\(size(plan.newCount, blockBytes)) now, \(plan.usedCount) of them in use"
    ]
  }

  private func preview(_ plan: MovePlan, _ blockBytes: UInt64) -> [String] {
    var lines = [
      "the pool has \(size(plan.oldCount, blockBytes)), \(plan.usedCount) of them in use, and "
        + "would have \(size(plan.newCount, blockBytes))"
    ]
    guard let reach = plan.moves.reach else { return lines + ["no block would move"] }
    let pieces = plan.moves.pieceCount
    lines.append(
      "\(size(plan.moves.count, blockBytes)) would move from blocks \(reach.from.lowerBound) to "
        + "\(reach.from.upperBound) into free ones from \(reach.to.lowerBound) to "
        + "\(reach.to.upperBound), in \(pieces) \(pieces == 1 ? "piece" : "pieces")")
    lines.append("that takes \(duration(plan.moves.count &* blockBytes))")
    return lines
  }

  /// How long copying takes on a device of usual speed.
  private func duration(_ bytes: UInt64) -> String {
    let perSecond: UInt64 = 100_000_000
    let seconds = bytes / perSecond
    let text =
      seconds < 2
      ? "a moment"
      : seconds < 120
        ? "about \(seconds) seconds"
        : seconds < 7200
          ? "about \(seconds / 60) minutes" : "about \(seconds / 3600) hours"
    return text + " at 100 MB per second"
  }
}
