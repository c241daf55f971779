internal import ArgumentParser
internal import CacheMetadata
internal import PersistentData

/// `cache_writeback`: writes dirty blocks of a cache to its origin.
struct CacheWriteback: Tool {
  static let configuration = CommandConfiguration(
    commandName: "cache_writeback", abstract: "Write dirty blocks of a cache to its origin.",
    version: Toolbox.version)

  @Option(help: ArgumentHelp("The cache's metadata device or file.", valueName: "file"))
  var metadataDevice: String
  @Option(help: ArgumentHelp("The slow device, which is written to.", valueName: "file"))
  var originDevice: String
  @Option(help: ArgumentHelp("The device that holds the cached blocks.", valueName: "file"))
  var fastDevice: String
  @Option(help: ArgumentHelp("Where the origin starts on its device.", valueName: "sectors"))
  var originDeviceOffset: UInt64 = 0
  @Option(help: ArgumentHelp("Where the first block is on the fast device.", valueName: "sectors"))
  var fastDeviceOffset: UInt64 = 0
  @Option(help: ArgumentHelp("Memory for data under way.", valueName: "MiB"))
  var bufferSizeMeg: UInt64 = 64
  @Flag(help: "List the blocks that could not be written back.") var listFailedBlocks = false
  @Flag(help: "Leave the metadata as it is: blocks stay dirty.") var noMetadataUpdate = false
  @Option(
    help: ArgumentHelp("How often a block that fails is tried again.", valueName: "count"))
  var retryCount: UInt32 = 0
  @Flag(help: "Say what would be written, and write nothing.") var dryRun = false
  @OptionGroup var shared: SharedOptions

  private static let sectorSize: UInt64 = 512
  private static let largestBuffer: UInt64 = 1 << 20

  func validate() throws {
    guard (1...CacheWriteback.largestBuffer).contains(bufferSizeMeg) else {
      throw ValidationError("--buffer-size-meg is from 1 to \(CacheWriteback.largestBuffer)")
    }
    for (offset, name) in [
      (originDeviceOffset, "--origin-device-offset"), (fastDeviceOffset, "--fast-device-offset"),
    ] where offset > UInt64(Int64.max) / CacheWriteback.sectorSize {
      throw ValidationError("\(name) is larger than any device")
    }
  }

  func run() throws(Failure) {
    let isWriting = !dryRun && !noMetadataUpdate
    let metadata = try openInput(metadataDevice, isWriting ? .write : .read, for: .cache)
    try refuseForeignInput(metadata, metadataDevice, for: .cache)
    try refuseSame([originDevice, fastDevice, metadataDevice])
    let origin = try openData(originDevice, dryRun ? .read : .write)
    let fast = try openData(fastDevice, .read)
    let (dirty, superblock) = try dirtyBlocks(metadata)
    let count = dirty.blocks.count
    let bytes = UInt64(count).multipliedReportingOverflow(
      by: UInt64(superblock.dataBlockSectors) * CacheWriteback.sectorSize)
    if dryRun {
      let size = bytes.overflow ? "" : " (\(ByteCount.text(bytes.partialValue)))"
      return try print(["\(count) dirty blocks\(size) would be written to the origin"])
    }
    var job = Writeback(
      from: fast, to: origin,
      blockBytes: UInt64(superblock.dataBlockSectors) * CacheWriteback.sectorSize)
    job.fastOffset = fastDeviceOffset * CacheWriteback.sectorSize
    job.originOffset = originDeviceOffset * CacheWriteback.sectorSize
    job.copy.bufferBytes = bufferSizeMeg << 20
    job.copy.retries = retryCount
    let outcome: Writeback.Outcome
    do throws(IOError) {
      let bar = ProgressBar(origin.progress, isQuiet: shared.quiet)
      outcome = try job.run(dirty.blocks)
      _ = consume bar
    } catch {
      throw Failure(
        .inputOutput, "\(error). The metadata was left as it was: every block is still dirty")
    }
    if isWriting { try markClean(outcome.copied, of: dirty, metadata, superblock) }
    try report(outcome, of: count, superblock)
  }

  /// Reads the dirty blocks, after a full check without errors.
  private func dirtyBlocks(
    _ file: BlockFile
  ) throws(Failure) -> (DirtyBlocks, CacheSuperblock) {
    let report: CacheReport
    do {
      let bar = ProgressBar(file.progress, isQuiet: shared.quiet)
      report = CacheReport(of: file)
      _ = consume bar
    }
    guard report.findings.worst != .error, let superblock = report.superblock else {
      throw damaged(report.findings, metadataDevice, for: .cache)
    }
    do throws(ReadError<Never>) {
      let reader = CacheReader(file, superblock, findings: Findings())
      return (try DirtyBlocks(reader), superblock)
    } catch {
      guard case .damaged(let findings) = error else { throw Failure(.damaged) }
      throw damaged(findings, metadataDevice, for: .cache)
    }
  }

  private func markClean(
    _ copied: [DirtyBlock], of dirty: DirtyBlocks, _ file: BlockFile,
    _ superblock: CacheSuperblock
  ) throws(Failure) {
    var bits = Bitset(bitCount: Int(superblock.cacheBlockCount))
    for block in copied { bits[UInt64(block.cacheBlock)] = true }
    do throws(IOError) { try dirty.markClean(bits, in: file) } catch {
      throw Failure(output: error)
    }
  }

  private func report(
    _ outcome: Writeback.Outcome, of count: Int, _ superblock: CacheSuperblock
  ) throws(Failure) {
    var lines = ["\(outcome.copied.count)/\(count) blocks successfully copied"]
    let failed = outcome.failed
    if !failed.isEmpty { lines.append("\(failed.count) blocks were not copied") }
    if listFailedBlocks {
      lines += failed.map { "cache block \($0.cacheBlock), origin block \($0.originBlock)" }
    }
    let unheard: Failure?
    do throws(Failure) {
      try print(lines)
      unheard = nil
    } catch {
      unheard = error
    }
    if !superblock.isCleanShutdown, count > 0 {
      shared.messages.say(
        "The cache was not shut down cleanly: if it is activated again, the kernel takes every "
          + "block for dirty and writes all of them back once more.")
    }
    if !failed.isEmpty {
      let cause = outcome.cause.map { ": \($0)" } ?? ""
      let state = noMetadataUpdate || !superblock.isCleanShutdown ? "" : "; they stay dirty"
      throw Failure(
        .inputOutput,
        "\(failed.count) of \(count) blocks could not be written back\(state)\(cause)")
    }
    if let unheard { throw unheard }
  }
}
