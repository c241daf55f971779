/// What the superblocks of all targets have in common: the metadata block that everything starts
/// from, with a number of its own, a magic number, a version, flags and the root of the metadata
/// space map. Each target says where its fields stand, and what only they can have wrong.
///
/// Decoded as it stands; `check` says what is wrong with it.
package protocol SuperblockFormat: Hashable, Sendable {
  /// What the checksum of such a block says.
  static var kind: BlockKind { get }
  static var magic: UInt64 { get }
  static var versions: ClosedRange<UInt32> { get }
  /// All flags that mean something.
  static var knownFlags: UInt32 { get }
  /// The flag with which the kernel asks for a check, where the target has one.
  static var needsCheckFlag: UInt32? { get }

  init(_ bytes: RawSpan)
  /// Writes every field; the checksum is put in when the block is sealed.
  func encode(into bytes: inout MutableRawSpan)

  /// The metadata block that it says it lives in.
  var block: UInt64 { get }
  var magic: UInt64 { get }
  var version: UInt32 { get }
  var flags: UInt32 { get set }
  var metadataBlockSectors: UInt32 { get }
  var metadataSpaceMap: SpaceMapRoot { get set }

  /// Whether this is such a superblock at all, whatever else is wrong with it.
  var isRecognizable: Bool { get }
  /// Reports what only this target's fields can have wrong.
  func checkOwnFields(at site: Site, into findings: inout Findings)
  /// What a block was before its one fault, where that can be told for certain; `nil` when it is
  /// sound, or something else is wrong with it. `home`: where it stands.
  static func correction(
    of bytes: RawSpan, home: MetadataBlock
  ) -> SuperblockCorrection<Self>?
}

/// A superblock of which one bit or one byte had to be put right.
package struct SuperblockCorrection<Superblock: SuperblockFormat>: Sendable {
  package let superblock: Superblock
  /// What was wrong, as a finding tells it: "one flipped bit".
  package let fault: String

  package init(_ superblock: Superblock, fault: String) {
    self.superblock = superblock
    self.fault = fault
  }
}

extension SuperblockFormat {
  package var isRecognizable: Bool { magic == Self.magic }

  /// Whether a block is such a superblock, damaged or not.
  package static func stands(in bytes: RawSpan) -> Bool {
    Self(bytes).isRecognizable || correction(of: bytes, home: .superblock) != nil
  }

  /// Whether the kernel waits for a check before it uses the metadata again.
  package var needsCheck: Bool {
    get { Self.needsCheckFlag.map { flags & $0 != 0 } ?? false }
    set {
      guard let flag = Self.needsCheckFlag else { return }
      flags = newValue ? flags | flag : flags & ~flag
    }
  }

  /// Reads the superblock or a copy of it. `nil`, with a finding, when the block is something
  /// else; what else is wrong with it is reported by `check`.
  package static func read(
    _ block: MetadataBlock, of file: BlockFile, at site: Site, into findings: inout Findings
  ) -> Self? {
    do {
      let (kind, superblock, correction) = try file.withBlock(block) { bytes in
        (BlockKind(of: bytes), Self(bytes), Self.correction(of: bytes, home: block))
      }
      if kind == Self.kind { return superblock }
      if let correction {
        findings.report(
          .blockBadChecksum, at: site, found: "\(correction.fault); repair turns it back")
        return file.treatment == .salvage ? correction.superblock : nil
      }
      findings.reportKind(kind, expected: Self.kind, at: site)
    } catch {
      findings.report(.blockUnreadable, at: site, found: Evidence(words: error.description))
    }
    return nil
  }

  package static func correction(
    of bytes: RawSpan, home: MetadataBlock
  ) -> SuperblockCorrection<Self>? {
    flippedBit(in: bytes)
  }

  /// The superblock without the one bit of `bytes` that was flipped; `nil` when that is not what
  /// is wrong.
  package static func flippedBit(in bytes: RawSpan) -> SuperblockCorrection<Self>? {
    guard BlockKind(of: bytes) == nil,
      let block = SingleBitError.corrected(bytes, as: Self.kind)
    else { return nil }
    let superblock = Self(block[0])
    guard superblock.magic == Self.magic else { return nil }
    return SuperblockCorrection(superblock, fault: "one flipped bit")
  }

  /// The superblock with its one wrong byte put right; `nil` unless exactly one way to do that
  /// makes a superblock that can be right.
  package static func withRightByte(_ file: BlockFile, at site: Site) -> Self? {
    let plausible = try? file.withBlock(.superblock) { bytes in
      SingleByteError.locate(in: bytes, as: kind).map { place in
        Self(SingleByteError.corrected(bytes, place)[0])
      }.filter { superblock in
        var findings = Findings()
        superblock.check(home: .superblock, at: site, into: &findings)
        return findings.isEmpty
      }
    }
    return plausible?.count == 1 ? plausible?[0] : nil
  }

  /// Reports whether the device is smaller than the space map says.
  package func checkSize(of file: BlockFile, at site: Site, into findings: inout Findings) {
    if metadataSpaceMap.blockCount > file.blockCount {
      findings.report(
        .deviceTruncated, at: site, found: "\(file.blockCount) blocks",
        expected: "\(metadataSpaceMap.blockCount)")
    }
  }

  /// Reports what the superblock alone can tell. `home`: the block it was read from.
  package func check(home: MetadataBlock, at site: Site, into findings: inout Findings) {
    if block != UInt64(home.number) {
      findings.report(.blockWrongNumber, at: site, found: block, expected: UInt64(home.number))
    }
    if magic != Self.magic {
      findings.report(.superblockWrongMagic, at: site, found: magic, expected: Self.magic)
    }
    if !Self.versions.contains(version) {
      let (first, last) = (Self.versions.lowerBound, Self.versions.upperBound)
      findings.report(
        .superblockUnknownVersion, at: site, found: "\(version)",
        expected: first == last ? "\(first)" : "\(first) or \(last)")
    }
    if flags & ~Self.knownFlags != 0 {
      findings.report(.superblockUnknownFlags, at: site, found: "flags \(flags)")
    }
    if metadataBlockSectors != MetadataBlock.sectors {
      findings.report(
        .metadataBlockSizeInvalid, at: site, found: "\(metadataBlockSectors) sectors")
    }
    checkOwnFields(at: site, into: &findings)
  }
}
