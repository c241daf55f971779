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

  /// Reports what only this target's fields can have wrong.
  func checkOwnFields(at site: Site, into findings: inout Findings)
}

extension SuperblockFormat {
  /// Whether this is such a superblock at all, whatever else is wrong with it.
  package var isRecognizable: Bool { magic == Self.magic }

  /// Whether the kernel waits for a check before it uses the metadata again.
  package var needsCheck: Bool { Self.needsCheckFlag.map { flags & $0 != 0 } ?? false }

  /// Reads the superblock or a copy of it. `nil`, with a finding, when the block is something
  /// else; what else is wrong with it is reported by `check`.
  package static func read(
    _ block: MetadataBlock, of file: BlockFile, at site: Site, into findings: inout Findings
  ) -> Self? {
    do {
      let (kind, superblock, mended) = try file.withBlock(block) { bytes in
        (BlockKind(of: bytes), Self(bytes), Self.corrected(in: bytes))
      }
      if kind == Self.kind { return superblock }
      if let mended {
        findings.report(
          .blockBadChecksum, at: site, found: "one flipped bit; repair turns it back")
        return file.treatment == .salvage ? mended : nil
      }
      findings.reportKind(kind, expected: Self.kind, at: site)
    } catch {
      findings.report(.blockUnreadable, at: site, found: error.description)
    }
    return nil
  }

  /// The superblock without the one bit of `bytes` that was flipped; `nil` when that is not what
  /// is wrong.
  package static func corrected(in bytes: RawSpan) -> Self? {
    guard BlockKind(of: bytes) == nil,
      let block = SingleBitError.corrected(bytes, as: Self.kind)
    else { return nil }
    let superblock = Self(block[0])
    return superblock.magic == Self.magic ? superblock : nil
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
