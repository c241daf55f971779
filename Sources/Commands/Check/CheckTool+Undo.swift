internal import Glibc
internal import PersistentData

extension CheckTool {
  /// Puts back what mending has overwritten.
  func putBack(_ undoPath: String) throws(Failure) {
    let input = options.input
    let device = try openInput(input, .write)
    if device.isSame(as: undoPath) {
      throw Failure(.outputRefused, "'\(input)' can't be its own undo file")
    }
    let changed: Int
    do throws(UndoError) {
      let undo = try Undo(reading: undoPath, for: device)
      changed = undo.changedCount
      if changed > 0 { try undo.apply() }
    } catch {
      throw Failure(error, undoPath, device: input, blockCount: device.blockCount)
    }
    shared.messages.say(
      changed == 0
        ? "Nothing to put back: '\(input)' is as it was before it was mended."
        : "Put back; '\(input)' is as it was before it was mended.")
  }
}

extension Failure {
  private static let untouched = "Nothing was mended"

  init(existingUndoFile path: String) {
    self.init(
      .outputRefused,
      "undo file refused: '\(path)' exists already, and may be needed. \(Failure.untouched)")
  }

  /// A failure to mend, or to write the undo file.
  init(
    _ error: MendError, _ target: MetadataTarget, undoFile undoPath: String?, device: String
  ) {
    switch error {
    case .undoFile(.cannotOpen(_, EEXIST)): self.init(existingUndoFile: undoPath ?? "")
    case .undoFile(.cannotOpen(let path, let code)):
      self.init(
        .outputRefused,
        "undo file refused: \(IOError.cannotOpen(path: path, errno: code)). \(Failure.untouched)")
    case .undoFile(let cause): self.init(.inputOutput, "\(cause). \(Failure.untouched)")
    case .device(let cause):
      let failure = Failure(output: cause)
      let rest = undoPath.map {
        ". This puts back what was overwritten:\n"
          + "  \(target.tool("check")) --undo \(ShellWord($0)) \(ShellWord(device))"
      }
      self.init(failure.status, failure.message + (rest ?? ""))
    }
  }

  /// A failure to put back what was overwritten.
  init(_ error: UndoError, _ path: String, device: String, blockCount: UInt64) {
    let untouched = "Nothing was put back"
    switch error {
    case .undoFile(let cause): self.init(input: cause)
    case .notAnUndoFile:
      self.init(.notMetadata, "'\(path)' is not an undo file")
    case .unknownVersion(let version):
      self.init(
        .notMetadata,
        "'\(path)' is an undo file of version \(version), made by another release of this program; "
          + "this one can't read it")
    case .undoFileDamaged(let block):
      self.init(
        .damaged,
        "the undo file '\(path)' is damaged or was cut off, in its block \(block). \(untouched)")
    case .otherDevice(let count):
      self.init(
        .outputRefused,
        "the undo file '\(path)' is for a device of \(count) blocks, but '\(device)' has "
          + "\(blockCount). \(untouched)")
    case .changedSince(let block):
      self.init(
        .outputRefused,
        "block \(block) of '\(device)' is neither as it was before the mending nor as the mending "
          + "left it: the metadata has been written since, or this is another device. \(untouched)")
    case .device(let cause):
      let failure = Failure(output: cause)
      self.init(
        failure.status, failure.message + ". Run the same command again once it can be written")
    }
  }
}
