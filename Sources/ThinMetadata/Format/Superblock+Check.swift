package import PersistentData

extension Superblock {
  /// Reads the superblock or a copy of it. `nil`, with a finding, when the block is something
  /// else; what else is wrong with it is reported by `check`.
  package static func read(
    _ block: MetadataBlock, of file: BlockFile, at site: Site, into findings: inout Findings
  ) -> Superblock? {
    do {
      let (kind, superblock, corrected) = try file.withBlock(block) { bytes in
        (BlockKind(of: bytes), Superblock(bytes), CorrectedSuperblock(bytes, home: block))
      }
      if kind == .thinSuperblock { return superblock }
      if let corrected {
        findings.report(
          .blockBadChecksum, at: site, found: "\(corrected.fault); repair turns it back")
        return file.treatment == .salvage ? corrected.superblock : nil
      }
      findings.reportKind(kind, expected: .thinSuperblock, at: site)
    } catch {
      findings.report(.blockUnreadable, at: site, found: error.description)
    }
    return nil
  }

  /// Whether a pool can have data blocks of this size.
  package static func isPossible(dataBlockSectors: UInt32) -> Bool {
    dataBlockSectors > 0 && dataBlockSectors <= dataBlockSectorsMaximum
      && dataBlockSectors % dataBlockSectorsUnit == 0
  }

  /// Reports what the superblock alone can tell. `home`: the block it was read from.
  package func check(home: MetadataBlock, at site: Site, into findings: inout Findings) {
    if block != UInt64(home.number) {
      findings.report(.blockWrongNumber, at: site, found: block, expected: UInt64(home.number))
    }
    if magic != Superblock.magic {
      findings.report(
        .superblockWrongMagic, at: site, found: magic, expected: Superblock.magic)
    }
    if version != 1, version != 2 {
      findings.report(
        .superblockUnknownVersion, at: site, found: "\(version)", expected: "1 or 2")
    }
    if time > Mapping.timeMaximum {
      findings.report(
        .poolTimeTooLarge, at: site, found: "time \(time)",
        expected: "at most \(Mapping.timeMaximum)")
    }
    if flags & ~Superblock.needsCheckFlag != 0 {
      findings.report(.superblockUnknownFlags, at: site, found: "flags \(flags)")
    }
    if incompatibleFlags != 0 || readOnlyCompatibleFlags != 0 {
      findings.report(
        .unsupportedFeatures, at: site,
        found: "incompat \(incompatibleFlags), compat_ro \(readOnlyCompatibleFlags)")
    }
    if compatibleFlags != 0 {
      findings.report(.superblockUnknownFlags, at: site, found: "compat \(compatibleFlags)")
    }
    if !Superblock.isPossible(dataBlockSectors: dataBlockSectors) {
      findings.report(
        .dataBlockSizeInvalid, at: site, found: "\(dataBlockSectors) sectors",
        expected: "a multiple of 128, at most \(Superblock.dataBlockSectorsMaximum)")
    }
    if metadataBlockSectors != MetadataBlock.sectors {
      findings.report(
        .metadataBlockSizeInvalid, at: site, found: "\(metadataBlockSectors) sectors")
    }
  }

  /// Reports where the metadata snapshot's copy can't be one that the kernel made of this
  /// superblock: what a pool keeps for life is another there, it is newer than the pool, or it has
  /// what the kernel leaves out.
  package func check(against copy: Superblock, at site: Site, into findings: inout Findings) {
    func expect<Value: Equatable>(
      _ name: String, _ copied: Value, _ isRight: Bool, _ expected: String
    ) {
      if !isRight {
        findings.report(
          .snapshotUnlikePool, at: site, found: "\(name) \(copied)", expected: expected)
      }
    }
    func expectSame<Value: Equatable>(_ name: String, _ value: KeyPath<Superblock, Value>) {
      let own = self[keyPath: value]
      expect(name, copy[keyPath: value], copy[keyPath: value] == own, "\(own)")
    }
    expectSame("version", \.version)
    expectSame("uuid, first half", \.uuidLow)
    expectSame("uuid, second half", \.uuidHigh)
    expectSame("data block size", \.dataBlockSectors)
    expectSame("metadata blocks at format", \.metadataBlockCount)
    expect("time", copy.time, copy.time <= time, "at most \(time)")
    expect(
      "transaction", copy.transactionID, copy.transactionID <= transactionID,
      "at most \(transactionID)")
    expect("a metadata snapshot in block", copy.heldRoot, copy.heldRoot == 0, "none")
    let none = SpaceMapRoot(blockCount: 0, allocatedCount: 0, bitmapRoot: 0, refCountRoot: 0)
    if copy.dataSpaceMap != none || copy.metadataSpaceMap != none {
      findings.report(.snapshotUnlikePool, at: site, found: "space maps", expected: "none")
    }
  }
}
