/// A thing that can be wrong with metadata. The name is stable: tests, reports and people cite it.
///
/// The severity and words of each rule are in one table, `RuleTable.swift`.
package enum Rule: String, CaseIterable, Sendable {
  // Any block
  case blockUnreadable
  case blockBadChecksum
  case blockWrongKind
  case blockWrongNumber
  case blockUsedTwice

  // B-trees
  case nodeUnknownKind
  case nodeWrongValueSize
  case nodeOverfull
  case nodeEmpty
  case nodeUnderfull
  case nodeUnusualMaximum
  case keysNotAscending
  case keyOutOfRange
  case childOutOfDevice
  case leafAtWrongDepth
  case treeTooDeep

  // Arrays
  case arrayWrongValueSize
  case arrayWrongEntryCount
  case arrayEntriesBeyondEnd
  case arrayUnusualMaximum
  case arrayBlockMissing
  case arrayBlockBeyondEnd
  case arrayTailDamaged

  // Space maps
  case deviceTruncated
  case bitmapMissing
  case bitmapSuperfluous
  case refCountTooLow
  case refCountTooHigh
  case blockLeaked
  case refCountEntryMissing
  case refCountEntryTooSmall
  case refCountEntrySuperfluous
  case entryBeyondEnd
  case allocatedCountWrong
  case freeCountWrong
  case firstFreeTooHigh

  // The superblock
  case superblockWrongMagic
  case superblockUnknownVersion
  case superblockUnknownFlags
  case unsupportedFeatures
  case dataBlockSizeInvalid
  case metadataBlockSizeInvalid
  case metadataSizeInFuture
  case poolTimeTooLarge
  case snapshotUnlikePool

  // Thin devices
  case deviceIDTooLarge
  case deviceWithoutDetails
  case deviceWithoutMappings
  case mappedBlocksWrong
  case dataBlockOutOfRange
  case mappingTimeInFuture
  case deviceTimeInFuture
  case deviceTimesReversed
  case snapshottedTimeTooLow
  case transactionInFuture

  // Era
  case blockCountInvalid
  case blockEraInFuture
  case blockEraPastWriteset
  case writesetMissing
  case writesetInFuture
  case writesetSizeWrong
  case writesetSizeUnusual

  // Cache
  case policyHintSizeInvalid
  case policyHintSizeMissing
  case dirtyBitsetMissing
  case discardBlockSizeInvalid
  case discardBlockCountInvalid
  case mappingFlagsUnknown
  case mappingOfUnusedBlock
  case originBlockMappedTwice
  case originBlockOutOfRange
  case originBlockBeyondDiscards
  case dirtyUnusedBlock

  // Worth knowing
  case countsNotJudged
  case needsCheck
  case metadataSnapshotHeld
  case formerDevices
  case metadataNearlyFull
  case metadataFull
  case dataFull
  case deviceBeyondKernelLimit
}

/// What a finding puts at risk.
package enum Severity: Int, Comparable, CaseIterable, Sendable {
  /// Worth knowing; nothing is wrong.
  case note
  /// Wrong, but harmless.
  case warning
  /// Only space is at risk.
  case leak
  /// Data is unreachable or at risk.
  case error

  package static func < (left: Severity, right: Severity) -> Bool {
    left.rawValue < right.rawValue
  }

  package var name: String {
    switch self {
    case .note: "note"
    case .warning: "warning"
    case .leak: "leak"
    case .error: "error"
    }
  }
}
