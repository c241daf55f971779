/// What the superblocks of all targets have in common: the metadata block that everything starts
/// from, with its own block number, a magic number, a version, flags and the root of the metadata
/// space map. Each target defines its layout and the checks of its own fields.
///
/// Decoded without checks; `check` reports what is wrong with it.
package protocol SuperblockFormat: Hashable, Sendable {
  /// The kind of block, as its checksum tells.
  static var kind: BlockKind { get }
  static var magic: UInt64 { get }
  static var versions: ClosedRange<UInt32> { get }
  /// All flags with a known meaning.
  static var knownFlags: UInt32 { get }
  /// The flag with which the kernel asks for a check, if the target has one.
  static var needsCheckFlag: UInt32? { get }

  init(_ bytes: RawSpan)
  /// Writes every field but the checksum, which is added when the block is sealed.
  func encode(into bytes: inout MutableRawSpan)

  /// The block number that it stores as its own.
  var block: UInt64 { get }
  var magic: UInt64 { get }
  var version: UInt32 { get }
  var flags: UInt32 { get set }
  var metadataBlockSectors: UInt32 { get }
  var metadataSpaceMap: SpaceMapRoot { get set }

  /// Whether this is such a superblock at all, even if damaged.
  var isRecognizable: Bool { get }
  /// Reports faults in this target's own fields.
  func checkOwnFields(at site: Site, into findings: inout Findings)
  /// The superblock without its one fault, if that is certain; `nil` when it is sound, or something
  /// else is wrong with it. `home`: where it was read.
  static func correction(
    of bytes: RawSpan, home: MetadataBlock
  ) -> SuperblockCorrection<Self>?
}

/// A superblock in which one bit or one byte was corrected.
package struct SuperblockCorrection<Superblock: SuperblockFormat>: Sendable {
  package let superblock: Superblock
  /// What was wrong, in a finding's words: "one flipped bit".
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

  /// Whether the kernel wants a check before it uses the metadata again.
  package var needsCheck: Bool {
    get { Self.needsCheckFlag.map { flags & $0 != 0 } ?? false }
    set {
      guard let flag = Self.needsCheckFlag else { return }
      flags = newValue ? flags | flag : flags & ~flag
    }
  }

  /// Reads the superblock or a copy of it. `nil`, with a finding, when the block is something else;
  /// `check` reports other faults.
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

  /// The superblock with the one flipped bit of `bytes` turned back; `nil` when that isn't the
  /// fault.
  package static func flippedBit(in bytes: RawSpan) -> SuperblockCorrection<Self>? {
    guard BlockKind(of: bytes) == nil,
      let block = SingleBitError.corrected(bytes, as: Self.kind)
    else { return nil }
    let superblock = Self(block[0])
    guard superblock.magic == Self.magic else { return nil }
    return SuperblockCorrection(superblock, fault: "one flipped bit")
  }

  /// The superblock with its one wrong byte corrected; `nil` unless exactly one correction gives a
  /// plausible superblock.
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
        expected: .exactly(metadataSpaceMap.blockCount))
    }
  }

  /// Reports faults visible in the superblock alone. `home`: the block it was read from.
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
