package import PersistentData

extension Superblock {
  /// Whether a pool can have data blocks of this size.
  package static func isPossible(dataBlockSectors: UInt32) -> Bool {
    dataBlockSectors > 0 && dataBlockSectors <= dataBlockSectorsMaximum
      && dataBlockSectors % dataBlockSectorsUnit == 0
  }

  package func checkOwnFields(at site: Site, into findings: inout Findings) {
    if time > Mapping.timeMaximum {
      findings.report(
        .poolTimeTooLarge, at: site, found: "time \(time)",
        expected: .atMost(Mapping.timeMaximum))
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
        expected: .multiple(
          of: Superblock.dataBlockSectorsUnit, atMost: Superblock.dataBlockSectorsMaximum))
    }
  }

  /// Reports where the metadata snapshot's copy can't be one that the kernel made of this
  /// superblock: a value that never changes differs, it is newer than the pool, or it has what the
  /// kernel leaves out.
  package func check(against copy: Superblock, at site: Site, into findings: inout Findings) {
    func expect<Value: FixedWidthInteger>(
      _ name: String, _ copied: Value, _ isRight: Bool, _ expected: Evidence
    ) {
      if !isRight {
        findings.report(
          .snapshotUnlikePool, at: site, found: "\(name) \(copied)", expected: expected)
      }
    }
    func expectSame<Value: FixedWidthInteger>(_ name: String, _ value: KeyPath<Superblock, Value>) {
      let own = self[keyPath: value]
      expect(name, copy[keyPath: value], copy[keyPath: value] == own, .exactly(own))
    }
    expectSame("version", \.version)
    expectSame("uuid, first half", \.uuidLow)
    expectSame("uuid, second half", \.uuidHigh)
    expectSame("data block size", \.dataBlockSectors)
    expectSame("metadata blocks at format", \.metadataBlockCount)
    expect("time", copy.time, copy.time <= time, .atMost(time))
    expect(
      "transaction", copy.transactionID, copy.transactionID <= transactionID,
      .atMost(transactionID))
    expect("a metadata snapshot in block", copy.heldRoot, copy.heldRoot == 0, "none")
    let none = SpaceMapRoot(blockCount: 0, allocatedCount: 0, bitmapRoot: 0, refCountRoot: 0)
    if copy.dataSpaceMap != none || copy.metadataSpaceMap != none {
      findings.report(.snapshotUnlikePool, at: site, found: "space maps", expected: "none")
    }
  }
}
