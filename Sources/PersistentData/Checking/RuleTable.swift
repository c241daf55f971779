extension Rule {
  package var severity: Severity { entry.severity }

  /// The one table: it alone decides the exit status, what `--ignore-non-fatal-errors` lets pass,
  /// what `--auto-repair` mends, and what is listed first, or in one line.
  package var entry: RuleEntry {
    switch self {
    case .blockUnreadable: RuleEntry(.error, "the device can't read this block", cause: true)
    case .blockBadChecksum: RuleEntry(.error, "bad checksum", cause: true)
    case .blockWrongKind: RuleEntry(.error, "this block is of another kind", cause: true)
    case .blockWrongNumber:
      RuleEntry(.error, "the block number stored in it is another block's", cause: true)
    case .blockUsedTwice: RuleEntry(.error, "the block already has another use")

    case .nodeUnknownKind: RuleEntry(.error, "the node is neither internal nor a leaf", cause: true)
    case .nodeWrongValueSize:
      RuleEntry(.error, "the node's values have the wrong size", cause: true)
    case .nodeOverfull:
      RuleEntry(.error, "the node claims more entries than it can hold", cause: true)
    case .nodeEmpty: RuleEntry(.error, "an internal node is empty", cause: true)
    case .nodeUnderfull: RuleEntry(.warning, "the node is less than a third full")
    case .nodeUnusualMaximum: RuleEntry(.warning, "the node's max_entries is unusual")
    case .keysNotAscending: RuleEntry(.error, "keys do not ascend")
    case .keyOutOfRange: RuleEntry(.error, "a key lies outside its parent's range")
    case .childOutOfDevice: RuleEntry(.error, "a pointer leads off the device")
    case .leafAtWrongDepth: RuleEntry(.error, "leaves lie at different depths", cause: true)
    case .treeTooDeep: RuleEntry(.error, "the tree is too deep, or loops")

    case .arrayWrongValueSize: RuleEntry(.error, "the array's values have the wrong size")
    case .arrayWrongEntryCount:
      RuleEntry(.error, "the array block holds the wrong number of values")
    case .arrayEntriesBeyondEnd:
      RuleEntry(.warning, "the array block holds values beyond the array's end")
    case .arrayUnusualMaximum: RuleEntry(.warning, "the array block's max_entries is unusual")
    case .arrayBlockMissing: RuleEntry(.error, "the index has no array block for these entries")
    case .arrayBlockBeyondEnd:
      RuleEntry(.warning, "the index has an array block beyond the array's end")
    case .arrayTailDamaged:
      RuleEntry(.warning, "the block that was left over when the array shrank is damaged")

    case .deviceTruncated:
      RuleEntry(.error, "the device is smaller than its space map says", cause: true)
    case .bitmapMissing: RuleEntry(.error, "the index has no bitmap for these blocks")
    case .bitmapSuperfluous: RuleEntry(.warning, "the index has a bitmap that no block needs")
    case .refCountTooLow: RuleEntry(.error, "reference count too low")
    case .refCountTooHigh: RuleEntry(.leak, "reference count too high", mendable: true)
    case .blockLeaked: RuleEntry(.leak, "allocated, but nothing uses it", mendable: true)
    case .refCountEntryMissing: RuleEntry(.error, "a count of 3 or more is missing from its tree")
    case .refCountEntryTooSmall:
      RuleEntry(.warning, "a count below 3 stands in the tree for larger ones")
    case .refCountEntrySuperfluous:
      RuleEntry(.warning, "the tree of large counts has an entry that its bitmap doesn't call for")
    case .entryBeyondEnd: RuleEntry(.warning, "an entry is for a block that doesn't exist")
    case .allocatedCountWrong:
      RuleEntry(.warning, "the number of allocated blocks is wrong", mendable: true)
    case .freeCountWrong:
      RuleEntry(.warning, "a bitmap's number of free blocks is wrong", mendable: true)
    case .firstFreeTooHigh:
      RuleEntry(.warning, "none_free_before lies above the first free block", mendable: true)

    case .superblockWrongMagic: RuleEntry(.error, "the magic number is wrong", cause: true)
    case .superblockUnknownVersion: RuleEntry(.error, "unknown metadata version", cause: true)
    case .superblockUnknownFlags: RuleEntry(.warning, "unknown flags are set")
    case .unsupportedFeatures:
      RuleEntry(.error, "the metadata uses features that this program doesn't know", cause: true)
    case .dataBlockSizeInvalid:
      RuleEntry(.error, "the data block size is not possible", cause: true)
    case .metadataBlockSizeInvalid:
      RuleEntry(.error, "the metadata block size is not 8 sectors", cause: true)
    case .metadataSizeInFuture:
      RuleEntry(.warning, "the size at format is larger than the size now")
    // The kernel would write it into mappings, over the number of the data block.
    case .poolTimeTooLarge:
      RuleEntry(.error, "the pool's time doesn't fit into a mapping", cause: true)
    case .snapshotUnlikePool:
      RuleEntry(
        .warning, "the metadata snapshot's superblock is not a copy of the pool's", action: true)

    case .deviceIDTooLarge: RuleEntry(.error, "the device id is larger than 16777215")
    case .deviceWithoutDetails:
      RuleEntry(.error, "the device has mappings but no entry in the details tree")
    case .deviceWithoutMappings:
      RuleEntry(.error, "the device has details but no entry in the mapping tree")
    case .mappedBlocksWrong: RuleEntry(.error, "the number of mapped blocks is wrong")
    case .dataBlockOutOfRange: RuleEntry(.error, "a mapping leads beyond the data device")
    case .mappingTimeInFuture: RuleEntry(.error, "a mapping is newer than the pool")
    case .deviceTimeInFuture: RuleEntry(.warning, "the device is newer than the pool")
    case .deviceTimesReversed:
      RuleEntry(.warning, "the device's last snapshot is older than the device")
    case .snapshottedTimeTooLow:
      RuleEntry(
        .warning, "the kernel would write to shared blocks in place", mendable: true, action: true)
    case .transactionInFuture:
      RuleEntry(.warning, "the device's transaction is newer than the pool's", action: true)

    case .blockCountInvalid: RuleEntry(.error, "the number of blocks is not possible")
    case .blockEraInFuture: RuleEntry(.error, "a block's era is later than the current era")
    case .blockEraPastWriteset:
      RuleEntry(.warning, "a block's era is later than the oldest archived writeset")
    case .writesetMissing: RuleEntry(.error, "an era between archived ones has no writeset")
    case .writesetInFuture: RuleEntry(.error, "a writeset belongs to a future era")
    case .writesetSizeWrong:
      RuleEntry(.error, "the current writeset has another size than the device")
    case .writesetSizeUnusual:
      RuleEntry(.warning, "the next writeset's size is not the device's")

    case .policyHintSizeInvalid: RuleEntry(.error, "the size of hints is not possible")
    case .policyHintSizeMissing: RuleEntry(.warning, "there are hints, but their size is 0")
    case .dirtyBitsetMissing: RuleEntry(.error, "there is no bitset of dirty blocks")
    case .discardBlockSizeInvalid: RuleEntry(.error, "the discard block size is not possible")
    case .discardBlockCountInvalid:
      RuleEntry(.error, "the number of discard blocks is not possible")
    case .mappingFlagsUnknown: RuleEntry(.error, "a mapping has unknown flags")
    case .mappingOfUnusedBlock: RuleEntry(.error, "a cache block that is not in use has a mapping")
    case .originBlockMappedTwice: RuleEntry(.error, "two cache blocks hold the same origin block")
    case .originBlockOutOfRange: RuleEntry(.error, "no origin can have a block with this number")
    case .originBlockBeyondDiscards:
      RuleEntry(.warning, "an origin block lies beyond the end of the discard bitset")
    case .dirtyUnusedBlock: RuleEntry(.error, "a cache block that is not in use is marked dirty")

    case .countsNotJudged:
      RuleEntry(
        .note, "allocated blocks that nothing readable uses: leaked, or used by damaged parts")
    case .needsCheck:
      RuleEntry(.note, "the kernel asked for a check (needs_check is set)", action: true)
    case .metadataSnapshotHeld: RuleEntry(.note, "a metadata snapshot is held")
    case .formerDevices:
      RuleEntry(
        .note, "the pool has no devices, but old states that have devices are still there",
        action: true)
    case .metadataNearlyFull:
      RuleEntry(.note, "metadata space is below the low watermark", action: true)
    case .metadataFull:
      RuleEntry(.note, "metadata space is used up to the kernel's reserve", action: true)
    case .dataFull: RuleEntry(.note, "every data block is in use", action: true)
    case .deviceBeyondKernelLimit:
      RuleEntry(.note, "the device is larger than the kernel can use")
    }
  }
}
