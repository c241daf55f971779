package import PersistentData

/// Which arrays of a cache to look at.
package struct CacheScope: Sendable {
  package var superblockOnly = false
  package var skipsMappings = false
  package var skipsHints = false
  package var skipsDiscards = false

  package init() {}

  /// Space maps count for all metadata, so only a look at all of it can judge them.
  package var isComplete: Bool {
    !superblockOnly && !skipsMappings && !skipsHints && !skipsDiscards
  }
}

/// Cache metadata from its superblock down to its arrays.
///
/// The one way in: check, dump, repair and the rest all read through it, and differ in what they do
/// with the findings. The arrays' blocks are read later, by whoever wants their values.
package struct CacheReader: Sendable {
  /// The parts of cache metadata, in report order.
  package enum Structure {
    package static let superblock = Site("superblock", order: 0)
    package static let mappings = ArrayShape(
      StructureLabel("mapping array", order: 1, keyUnit: .cacheBlock), valueSize: 8)
    package static let dirtyBits = ArrayShape.bitset(
      StructureLabel("dirty bitset", order: 2, keyUnit: .cacheBlock))
    package static let hints = ArrayShape(
      StructureLabel("hint array", order: 3, keyUnit: .cacheBlock), valueSize: 4)
    package static let discards = ArrayShape.bitset(
      StructureLabel("discard bitset", order: 4, keyUnit: .discardBlock))
    package static let metadataSpaceMap = StructureLabel(
      "metadata space map", order: 5, keyUnit: .metadataBlock)
    package static let metadata = Site("metadata", order: 6)
  }

  package let file: BlockFile
  package let superblock: CacheSuperblock
  package var usage: BlockUsage
  package var findings: Findings
  /// By cache block: the origin block that it holds. `nil` where it was left out.
  package var mappings: StoredArray?
  /// By cache block; only metadata of version 2 has it.
  package var dirtyBits: StoredArray?
  /// By cache block: what the policy noted of it. `nil` as well where there are none yet.
  package var hints: StoredArray?
  /// By discard block.
  package var discards: StoredArray?

  /// `superblock`: already read, and good enough to follow its roots.
  package init(
    _ file: BlockFile, _ superblock: CacheSuperblock, _ scope: CacheScope = CacheScope(),
    findings: Findings
  ) {
    self.file = file
    self.superblock = superblock
    self.findings = findings
    usage = BlockUsage(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    _ = usage.claim(.superblock, for: Structure.superblock.structure)
    usage.references.increment(0)
    let cacheBlocks = UInt64(superblock.cacheBlockCount)
    if !scope.skipsMappings {
      mappings = read(Structure.mappings, superblock.mappingRoot, cacheBlocks)
      if superblock.version > 1, superblock.dirtyRoot != 0 {
        dirtyBits = read(Structure.dirtyBits, superblock.dirtyRoot, cacheBlocks)
      }
    }
    if !scope.skipsHints, superblock.hintRoot != 0 {
      hints = read(Structure.hints, superblock.hintRoot, cacheBlocks)
    }
    if !scope.skipsDiscards, superblock.discardRoot != 0 || superblock.discardBlockCount > 0 {
      discards = read(Structure.discards, superblock.discardRoot, superblock.discardBlockCount)
    }
  }

  private mutating func read(
    _ shape: ArrayShape, _ pointer: UInt64, _ entryCount: UInt64
  ) -> StoredArray {
    let root = StoredArrays.Root(pointer, entryCount: entryCount)
    return StoredArrays(shape, roots: [root], in: file, usage: &usage, findings: &findings)
      .array(root)
  }
}
