internal import ArgumentParser
internal import MetadataXML
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
    if !isQuiet { try? ByteSink.standardError.write(line.printable + "\n") }
  }
}

extension Messages {
  /// `calling`: leave out what nobody has to do anything about.
  func say(_ findings: Findings, onlyCalling calling: Bool = false) {
    for line in findings.lines(where: { !calling || $0.entry.callsForAction }, \.description) {
      say(line)
    }
  }
}

extension NameSpecification {
  /// The long name, and a letter that may have its value attached: `-oFILE`.
  static func attached(_ letter: Character) -> NameSpecification {
    [.customShort(letter, allowingJoined: true), .long]
  }
}

/// What a superblock can't tell, or tells wrongly.
struct OverrideOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Sectors in a data block, where the metadata can't tell.", valueName: "sectors"))
  var dataBlockSize: UInt32?
  @Option(help: ArgumentHelp("The data device has at least so many blocks.", valueName: "count"))
  var nrDataBlocks: UInt64?
  @Option(help: ArgumentHelp("The pool's transaction id is at least this.", valueName: "id"))
  var transactionID: UInt64?

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
    _ path: String, _ access: BlockFile.Access, _ treatment: Treatment = .judge,
    for target: MetadataTarget = .thin
  ) throws(Failure) -> BlockFile {
    do throws(IOError) { return try BlockFile(path, access, treatment) } catch {
      if case .tooSmall = error { throw failure(tooSmall: error, path, for: target) }
      throw Failure(input: error)
    }
  }

  /// Stops when the metadata snapshot is asked for and there is none: the live pool, which may be
  /// changing, is no substitute. A damaged superblock is left to whoever reads the pool.
  func requireMetadataSnapshot(_ file: BlockFile, _ path: String) throws(Failure) {
    let isMissing: Bool
    do throws(IOError) {
      isMissing = try file.withBlock(.superblock) { bytes in
        BlockKind(of: bytes) == .thinSuperblock && Superblock(bytes).heldRoot == 0
      }
    } catch {
      throw Failure(input: error)
    }
    if isMissing {
      throw Failure(
        .noInput,
        "'\(path)' has no metadata snapshot; 'dmsetup message VG-POOL-tpool 0 "
          + "reserve_metadata_snap' makes one")
    }
  }

  /// Names the blocks that the device could not read, where nothing else has.
  func sayUnreadable(_ file: BlockFile) {
    let blocks = file.unreadableBlocks
    if blocks.isEmpty { return }
    shared.messages.say(
      "The device can't read \(blocks.count == 1 ? "block" : "blocks") "
        + "\(blocks.lazy.firstFew(8)). Copy what can be read, and go on with the copy:")
    shared.messages.say("  " + Advice.Commands.copy(file.path, isFailing: true))
  }

  /// Opens a metadata device or file to overwrite; it has to exist.
  func openOutput(_ path: String) throws(Failure) -> BlockFile {
    do throws(IOError) { return try BlockFile(path, .write) } catch {
      throw Failure(output: error)
    }
  }

  /// Opens what text is written to: standard output, unless it is named. A file that is there stays
  /// as it is until `commit`. Stops where one of `inputs` would be overwritten.
  func openSink(
    _ output: String?, sparing inputs: [String], as name: String = "it",
    writesThrough: Bool = false
  ) throws(Failure) -> ByteSink {
    guard let output else { return .standardOutput }
    for input in inputs where Storage.areSame(output, input) {
      throw Failure(.outputRefused, "output refused: \(name) would overwrite '\(input)'")
    }
    do throws(IOError) { return try ByteSink(to: output, writesThrough: writesThrough) } catch {
      throw Failure(.outputRefused, "output refused: \(error)")
    }
  }

  /// Gives a file that was written its name.
  func commit(_ sink: ByteSink) throws(Failure) {
    do throws(IOError) { try sink.commit() } catch { throw Failure(output: error) }
  }

  /// Writes what the tool is run for to standard output.
  func print(_ lines: [String]) throws(Failure) {
    if shared.quiet || lines.isEmpty { return }
    do throws(ByteSink.Failure) {
      try ByteSink.standardOutput.write(lines.map { $0.printable + "\n" }.joined())
    } catch {
      throw Failure(error)
    }
  }

  /// Says what is to be known before the work is done, where the report on it will be. The work
  /// doesn't depend on whether anybody reads that; whether the report can be made tells its end.
  func announce(_ lines: [String]) { try? print(lines) }
}
