package import PersistentData

extension CacheSuperblock {
  /// Whether a cache can have blocks of this size.
  package static func isPossible(dataBlockSectors: UInt32) -> Bool {
    dataBlockSectors > 0 && dataBlockSectors <= dataBlockSectorsMaximum
      && dataBlockSectors % dataBlockSectorsUnit == 0
  }

  package func checkOwnFields(at site: Site, into findings: inout Findings) {
    if incompatibleFlags != 0 || readOnlyCompatibleFlags != 0 {
      findings.report(
        .unsupportedFeatures, at: site,
        found: "incompat \(incompatibleFlags), compat_ro \(readOnlyCompatibleFlags)")
    }
    if compatibleFlags != 0 {
      findings.report(.superblockUnknownFlags, at: site, found: "compat \(compatibleFlags)")
    }
    if !CacheSuperblock.isPossible(dataBlockSectors: dataBlockSectors) {
      findings.report(
        .dataBlockSizeInvalid, at: site, found: "\(dataBlockSectors) sectors",
        expected: .multiple(
          of: CacheSuperblock.dataBlockSectorsUnit, atMost: CacheSuperblock.dataBlockSectorsMaximum)
      )
    }
    if policyHintSize != 0, policyHintSize != 4 {
      findings.report(
        .policyHintSizeInvalid, at: site, found: "\(policyHintSize) bytes", expected: "0 or 4")
    }
    if policyHintSize == 0, hintRoot != 0 { findings.report(.policyHintSizeMissing, at: site) }
    checkDiscardGeometry(at: site, into: &findings)
    if version == 2, dirtyRoot == 0 { findings.report(.dirtyBitsetMissing, at: site) }
  }

  /// A discard block is a block times a power of two; both are 0 before the first clean shutdown.
  private func checkDiscardGeometry(at site: Site, into findings: inout Findings) {
    let size = discardBlockSectors
    if size == 0, discardBlockCount == 0 { return }
    let unit = UInt64(dataBlockSectors)
    let isMultiple = unit > 0 && size > 0 && size % unit == 0
    if !isMultiple || (size / unit).nonzeroBitCount != 1 {
      findings.report(
        .discardBlockSizeInvalid, at: site, found: "\(size) sectors",
        expected: Evidence(words: "\(unit) times a power of two"))
    }
    if discardBlockCount > CacheSuperblock.discardBlockCountMaximum {
      findings.report(
        .discardBlockCountInvalid, at: site, found: "\(discardBlockCount)",
        expected: .atMost(CacheSuperblock.discardBlockCountMaximum))
    }
  }

  /// The kernel makes discard blocks so large that an origin has no more than 2^14 of them, a
  /// partial one not counted.
  ///
  /// Source: Linux, drivers/md/dm-cache-target.c, `calculate_discard_block_size`.
  package static let discardBlockCountMaximum: UInt64 = 1 << 14 + 1
}
