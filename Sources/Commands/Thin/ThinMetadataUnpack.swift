internal import ArgumentParser
internal import PersistentData

/// `thin_metadata_unpack`: unpacks a packed file to metadata.
struct ThinMetadataUnpack: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_metadata_unpack",
    abstract: "Unpack metadata that thin_metadata_pack has packed.", version: Toolbox.version)

  @Option(
    name: .attached("i"),
    help: ArgumentHelp("The packed file; it is only read.", valueName: "file"))
  var input: String
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("The file to make, or a metadata device to overwrite.", valueName: "file"))
  var output: String
  @Flag(name: .shortAndLong, help: "Don't ask before something is overwritten.")
  var force = false
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    if Storage.areSame(input, output) {
      throw Failure(.outputRefused, "output refused: '\(output)' is the input")
    }
    let packed: PackFile
    do throws(PackError) { packed = try openPack() } catch {
      throw Failure(unpacking: input, error)
    }
    let bar = ProgressBar(packed.progress, isQuiet: shared.quiet)
    let contents: PackContents
    if let device = try existingDevice() {
      contents = try unpack(packed, over: device)
    } else {
      contents = try unpackToFile(packed)
    }
    _ = consume bar
    say(contents)
  }

  private func openPack() throws(PackError) -> PackFile {
    let source: PackSource
    do throws(IOError) { source = try PackSource(input) } catch { throw .input(error) }
    return try PackFile(source)
  }

  // MARK: Outputs

  /// The device to write to; `nil` if nothing exists there, or a file, which is replaced.
  private func existingDevice() throws(Failure) -> BlockFile? {
    do throws(IOError) {
      let file = try BlockFile(output, .write)
      return file.isBlockDevice ? file : nil
    } catch {
      switch error {
      case .notFound, .tooSmall: return nil
      default: throw Failure(output: error)
      }
    }
  }

  /// Reads the packed file once: if it turns out bad, the new file is dropped.
  private func unpackToFile(_ packed: PackFile) throws(Failure) -> PackContents {
    try confirmOverwriting(output, isForced: force)
    let replacement: FileReplacement
    let file: BlockFile
    do throws(IOError) {
      replacement = try FileReplacement(output)
      file = try BlockFile(making: replacement, blockCount: packed.blockCount)
    } catch {
      throw Failure(output: error)
    }
    let contents = try unpack(packed, to: file, isNew: true)
    do throws(IOError) { try replacement.commit() } catch { throw Failure(output: error) }
    return contents
  }

  /// Reads the packed file twice: nothing is written until all of it is known to be good.
  private func unpack(_ packed: PackFile, over device: BlockFile) throws(Failure) -> PackContents {
    if device.blockCount < packed.blockCount {
      throw Failure(
        .outputRefused,
        "'\(output)' is too small: \(packed.blockCount * 4) KiB are needed, it has "
          + "\(device.blockCount * 4) KiB")
    }
    do throws(PackError) { _ = try packed.verify() } catch {
      throw Failure(unpacking: input, error)
    }
    try confirmOverwriting(output, isForced: force)
    return try unpack(packed, to: device, isNew: false)
  }

  private func unpack(
    _ packed: PackFile, to file: BlockFile, isNew: Bool
  ) throws(Failure) -> PackContents {
    do throws(PackError) { return try packed.unpack(to: file, isNew: isNew) } catch {
      throw Failure(unpacking: input, error)
    }
  }

  private func say(_ contents: PackContents) {
    if contents.damaged.count > 0 {
      shared.messages.say(
        "Unpacked with bad checksums, as they were: \(contents.damaged.inWords).")
    }
    if !contents.hasSuperblock {
      shared.messages.say(
        "Block 0, the superblock, is not in '\(input)': it was damaged, or lost in packing, as "
          + "happens with versions 1.x.")
    }
  }
}
