internal import PersistentData

extension Tool {
  /// Opens a metadata device or file as input.
  func openInput(
    _ path: String, _ access: BlockFile.Access, _ treatment: Treatment = .judge,
    for target: MetadataTarget = .thin
  ) throws(Failure) -> BlockFile {
    do throws(IOError) { return try BlockFile(path, access, treatment) } catch {
      if case .tooSmall = error { throw failure(tooSmall: error, path, for: target) }
      throw Failure(input: error)
    }
  }

  /// Lists the blocks that the device could not read, for callers that have not reported them.
  func reportUnreadable(_ file: BlockFile) {
    let blocks = file.unreadableBlocks
    if blocks.isEmpty { return }
    shared.messages.say(
      "The device can't read \(blocks.count == 1 ? "block" : "blocks") "
        + "\(blocks.lazy.firstFew(8)). Copy what can be read, and go on with the copy:")
    shared.messages.say("  " + CopyCommand.text(file.path, isFailing: true))
  }

  /// Opens a metadata device or file to overwrite; it must exist.
  func openOutput(_ path: String) throws(Failure) -> BlockFile {
    do throws(IOError) { return try BlockFile(path, .write) } catch {
      throw Failure(output: error)
    }
  }

  /// Opens the output for text: `output`, or standard output if `nil`. An existing file stays as it
  /// is until `commit`. Fails if one of `inputs` would be overwritten.
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

  /// Gives a finished file its name.
  func commit(_ sink: ByteSink) throws(Failure) {
    do throws(IOError) { try sink.commit() } catch { throw Failure(output: error) }
  }

  /// Prints the tool's results on standard output, unless `--quiet`.
  func print(_ lines: [String]) throws(Failure) {
    if shared.quiet || lines.isEmpty { return }
    do throws(ByteSink.Failure) {
      try ByteSink.standardOutput.write(lines.map { $0.printable + "\n" }.joined())
    } catch {
      throw Failure(error)
    }
  }

  /// Prints what should be known before the work starts, on standard output. Errors are ignored:
  /// printing the final report will meet them again.
  func announce(_ lines: [String]) { try? print(lines) }

  /// Prints the tool's results on standard output, even with `--quiet`.
  func write(_ lines: [String]) throws(Failure) {
    do throws(ByteSink.Failure) {
      try ByteSink.standardOutput.write(lines.map { $0 + "\n" }.joined())
    } catch {
      throw Failure(error)
    }
  }
}
