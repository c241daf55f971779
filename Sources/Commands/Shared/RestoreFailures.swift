internal import MetadataXML
internal import PersistentData

extension Failure {
  /// A failure to write metadata to `output`.
  init(_ error: WriteError, _ output: String) {
    switch error {
    case .rejected(let reason): self.init(.damaged, reason)
    case .output(let cause): self.init(output: cause)
    case .outputTooSmall(let needed, _) where needed > MetadataBlock.maximumCount:
      self.init(.tooLarge(needed: needed), output)
    case .notApproved:
      self.init(
        .inputOutput,
        "'\(output)' does not read back as it was written: the device, or this machine's memory, "
          + "can't be trusted. No superblock was written, so nothing will use it")
    case .tooLarge(let needed):
      self.init(
        .outputRefused,
        "'\(output)' is too small, and so is any device: \(needed) blocks of 4 KiB or more are "
          + "needed, and kernels use \(MetadataBlock.maximumCount) at most, some 16 GiB")
    case .outputTooSmall(let needed, let available):
      self.init(
        .outputRefused,
        "'\(output)' is too small: about \(needed) blocks of 4 KiB are needed, it has "
          + "\(available); give it \(NewSize.sufficient(for: needed) * 4) KiB or more")
    }
  }

  /// A failure to read XML from `input` and write the metadata to `output`.
  init(_ error: XMLError, _ input: String, _ output: String, for target: MetadataTarget) {
    switch error {
    case .consumerFailed(let cause as WriteError): self.init(cause, output)
    case .sourceFailed(let cause as IOError): self.init(input: cause)
    case .notXML:
      self = Failure(notXML: input, for: target) ?? Failure(.notMetadata, "\(input): \(error)")
    case .empty: self.init(.notMetadata, "\(input): \(error)")
    default: self.init(.damaged, "\(input): \(error)")
    }
  }
}

extension Tool {
  /// Opens XML to read and metadata to overwrite, which must not be the same.
  func openRestore(
    _ input: String, _ output: String
  ) throws(Failure) -> (source: ByteSource, file: BlockFile) {
    let source: ByteSource
    do throws(IOError) { source = try ByteSource(input) } catch { throw Failure(input: error) }
    let file = try openOutput(output)
    if file.isSame(as: input) {
      throw Failure(.outputRefused, "output refused: '\(output)' is the input")
    }
    source.progress.begin("writing the new metadata", total: Int(clamping: source.sizeBytes ?? 0))
    return (source, file)
  }
}
