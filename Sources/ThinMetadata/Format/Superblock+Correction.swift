package import PersistentData

/// A superblock of which one bit or one byte had to be put right.
package struct CorrectedSuperblock: Sendable {
  package let superblock: Superblock
  /// What was wrong, as a finding tells it: "one flipped bit".
  package let fault: String

  /// `nil` when the block is sound, or something else is wrong with it. `home`: where it stands.
  package init?(_ bytes: RawSpan, home: MetadataBlock) {
    guard bytes.byteCount == MetadataBlock.size, BlockKind(of: bytes) == nil else { return nil }
    if let block = SingleBitError.corrected(bytes, as: .thinSuperblock) {
      let superblock = Superblock(block[0])
      if superblock.magic == Superblock.magic {
        self.superblock = superblock
        fault = "one flipped bit"
        return
      }
    }
    // What one byte explains more than one byte may explain.
    let plausible = SingleByteError.locate(in: bytes, as: .thinSuperblock)
      .map { SingleByteError.corrected(bytes, $0) }
      .filter { Superblock.isPlausible($0[0], home: home) }
    guard plausible.count == 1, let block = plausible.first else { return nil }
    superblock = Superblock(block[0])
    fault = "one wrong byte"
  }
}

extension Superblock {
  /// Whether a block is a superblock in all that can be known beforehand.
  fileprivate static func isPlausible(_ bytes: RawSpan, home: MetadataBlock) -> Bool {
    let superblock = Superblock(bytes)
    return superblock.magic == magic && superblock.block == UInt64(home.number)
      && superblock.hasUsualSizes && superblock.flags & ~needsCheckFlag == 0
      && superblock.time <= Mapping.timeMaximum && superblock.incompatibleFlags == 0
      && (Layout.size..<bytes.byteCount).allSatisfy { bytes[Field<UInt8>(at: $0)] == 0 }
  }

  private var hasUsualSizes: Bool {
    (1...2).contains(version) && metadataBlockSectors == MetadataBlock.sectors
      && Superblock.isPossible(dataBlockSectors: dataBlockSectors)
  }

  /// Whether this is what a pool's superblock is, or was before it was damaged: then it is nothing
  /// else, whatever it looks like.
  package var isRecognizable: Bool { magic == Superblock.magic || hasUsualSizes }
}
