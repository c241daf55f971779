package import PersistentData

extension Superblock {
  package static func correction(
    of bytes: RawSpan, home: MetadataBlock
  ) -> SuperblockCorrection<Superblock>? {
    guard bytes.byteCount == MetadataBlock.size, BlockKind(of: bytes) == nil else { return nil }
    if let flipped = flippedBit(in: bytes) { return flipped }
    // Where one wrong byte explains the checksum, another one may as well.
    let plausible = SingleByteError.locate(in: bytes, as: kind)
      .map { SingleByteError.corrected(bytes, $0) }
      .filter { isPlausible($0[0], home: home) }
    guard plausible.count == 1, let block = plausible.first else { return nil }
    return SuperblockCorrection(Superblock(block[0]), fault: "one wrong byte")
  }

  /// Whether a block is a superblock, as far as can be known beforehand.
  private static func isPlausible(_ bytes: RawSpan, home: MetadataBlock) -> Bool {
    let superblock = Superblock(bytes)
    return superblock.magic == magic && superblock.block == UInt64(home.number)
      && superblock.hasUsualSizes && superblock.flags & ~knownFlags == 0
      && superblock.time <= Mapping.timeMaximum && superblock.incompatibleFlags == 0
      && (Layout.size..<bytes.byteCount).allSatisfy { bytes[Field<UInt8>(at: $0)] == 0 }
  }

  private var hasUsualSizes: Bool {
    Superblock.versions.contains(version) && metadataBlockSectors == MetadataBlock.sectors
      && Superblock.isPossible(dataBlockSectors: dataBlockSectors)
  }

  /// Whether this is what a pool's superblock is, or was before it was damaged: then it is nothing
  /// else, whatever it looks like.
  package var isRecognizable: Bool { magic == Superblock.magic || hasUsualSizes }
}
