internal import PersistentData

extension Failure {
  /// A failure to pack `input`, which looks like `kind`.
  init(packing input: String, _ kind: InputKind?, _ error: PackError) {
    switch error {
    case .tooLarge(let blockCount):
      self.init(
        .notMetadata,
        "'\(input)' has \(blockCount) blocks of 4 KiB; metadata is never that large")
    case .noMetadata:
      let name = kind?.name.map { "this is \($0), and " } ?? ""
      self.init(
        .notMetadata,
        "'\(input)' holds no metadata: \(name)none of its blocks has a metadata checksum")
    default: self.init(error)
    }
  }

  /// A failure to unpack `input`.
  init(unpacking input: String, _ error: PackError) {
    switch error {
    case .notAPack: self.init(notPacked: input)
    case .unknownVersion(let version):
      self.init(
        .notMetadata,
        "'\(input)' is a pack file of version \(version); this program knows version 3")
    case .unknownBlockSize(let size):
      self.init(
        .notMetadata, "'\(input)' packs blocks of \(size) bytes; those of metadata have 4096")
    case .tooLarge(let blockCount):
      self.init(
        .damaged,
        "'\(input)' is damaged: it claims to hold \(blockCount) blocks, a number that no metadata "
          + "has")
    case .badRecord(let offset, let fault):
      self.init(damagedPack: input, "in the part that begins at byte \(offset), \(fault)")
    case .blockTwice(let block): self.init(damagedPack: input, "block \(block) is in it twice")
    case .incomplete: self.init(damagedPack: input, "a part of it is missing")
    default: self.init(error)
    }
  }

  private init(_ error: PackError) {
    switch error {
    case .input(let error): self.init(input: error)
    case .output(let error): self.init(output: error)
    case .readerGone: self.init(.success)
    default: self.init(.damaged, "\(error)")
    }
  }

  private init(damagedPack input: String, _ fault: String) {
    self.init(
      .damaged,
      "'\(input)' is damaged: \(fault). Was it copied whole? The output was left as it was.")
  }

  private init(notPacked input: String) {
    let kind =
      (try? BlockFile(input, .readInUse)).flatMap { try? InputKind(of: $0) }
      ?? (try? InputKind(ofSmall: input))
    guard let kind, let name = kind.name, kind != .zeroes else {
      self.init(.notMetadata, "'\(input)' is not packed metadata")
      return
    }
    let advice: String
    switch kind {
    case .metadata: advice = "; it isn't packed, and can be used as it is"
    case .xml: advice = kind.advice(input, for: .thin).map { "; \($0)" } ?? ""
    case .foreign(let foreign): advice = foreign.unpacker.map { "; unpack it with \($0)" } ?? ""
    default: advice = ""
    }
    self.init(.notMetadata, "'\(input)' is not packed metadata: this is \(name)\(advice)")
  }
}

extension BlockTally {
  /// "3 blocks (17, 18, 40)"; if there are many, only the first ones.
  var inWords: String {
    let rest = count - UInt64(first.count)
    return (count == 1 ? "1 block (" : "\(count) blocks (") + first.firstFew(first.count)
      + (rest > 0 ? " and \(rest) more)" : ")")
  }
}
