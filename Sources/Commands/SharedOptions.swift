internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// Options that every tool takes.
struct SharedOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say nothing; the exit status tells.")
  var quiet = false

  // Accepted because scripts pass them; there is nothing they could change here.
  @Flag(name: .customShort("v"), help: .hidden) var verbosity: Int
  @Option(name: .customLong("io-engine"), help: .hidden) var ioEngine: String?

  /// Where messages for people go.
  var messages: Messages { Messages(isQuiet: quiet) }
}

/// What a tool says besides its output: on standard error, so that output stays pure.
struct Messages {
  let isQuiet: Bool

  func say(_ line: String) {
    if !isQuiet { try? ByteSink.standardError.write(line + "\n") }
  }
}

extension Messages {
  /// Lines that a person may still read.
  private static let mostFindings = 100

  func say(_ findings: Findings) {
    let all = findings.sorted
    for finding in all.prefix(Messages.mostFindings) { say("\(finding)") }
    let rest = findings.counts.values.reduce(0, +) - min(all.count, Messages.mostFindings)
    if all.count > Messages.mostFindings { say("\(rest) more findings are not shown") }
  }
}

/// What a superblock can't tell, or tells wrongly.
struct OverrideOptions: ParsableArguments {
  @Option(help: "Sectors in a data block, where the metadata can't tell.")
  var dataBlockSize: UInt32?
  @Option(help: "The data device has at least so many blocks.") var nrDataBlocks: UInt64?
  @Option(help: "The pool's transaction id is at least this.") var transactionID: UInt64?

  var values: PoolOverrides {
    var values = PoolOverrides()
    values.dataBlockSectors = dataBlockSize
    values.dataBlockCount = nrDataBlocks
    values.transactionID = transactionID
    return values
  }
}

extension Tool {
  /// Opens a metadata device or file to read from.
  func openInput(
    _ path: String, _ access: BlockFile.Access, _ treatment: Treatment = .judge
  ) throws -> BlockFile {
    do { return try BlockFile(path, access, treatment) } catch { throw Failure(input: error) }
  }

  /// Stops when the input is something else, and says what. A block 0 that is simply damaged, or
  /// lost, is no reason to stop: there may be a pool behind it.
  func refuseForeignInput(_ file: BlockFile, _ path: String) throws {
    let kind: InputKind
    do { kind = try InputKind(of: file) } catch { throw Failure(input: error) }
    switch kind {
    case .unknown, .metadata(.thinSuperblock): return
    case .metadata, .unfinished, .xml, .pack, .gzip, .xz, .zstd, .qcow2, .luks, .lvm, .ext, .xfs,
      .btrfs, .swap, .partitionTable, .zeroes:
      throw Failure(
        .notMetadata,
        "'\(path)' is not the metadata of a thin pool: this is \(kind.name ?? "something else")")
    }
  }

  /// Opens a metadata device or file to overwrite; it has to exist.
  func openOutput(_ path: String) throws -> BlockFile {
    do { return try BlockFile(path, .write) } catch { throw Failure(output: error) }
  }
}
