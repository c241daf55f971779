/// Why metadata could not be written.
package enum WriteError: Error {
  /// The input makes no sense; says what is wrong, as a sentence.
  case rejected(String)
  case output(IOError)
  /// The output has too few blocks; everything has been counted, and nothing written that could be
  /// taken for metadata. If leaves are shared, the count may be a few blocks too high, as the
  /// contents of leaves that were not written aren't known.
  case outputTooSmall(needed: UInt64, available: UInt64)
  /// What was written can't be read back correctly; there is no superblock, or still the old one.
  case notApproved
  /// No metadata device can hold the input, which takes at least `needed` blocks.
  case tooLarge(needed: UInt64)
}

extension BlockWriter {
  /// Ends new metadata: writes its space map, then, once all that is on stable storage, the
  /// superblock that `make` returns.
  package func finish<Superblock: SuperblockFormat>(
    _ make: (_ metadataMap: SpaceMapRoot) -> Superblock
  ) throws(WriteError) {
    do throws(IOError) {
      let superblock = make(try SpaceMapWriter(self).writeMetadata())
      if !isTooSmall { try finish(Superblock.kind) { superblock.encode(into: &$0) } }
    } catch {
      throw .output(error)
    }
    if isTooSmall { throw .outputTooSmall(needed: neededCount, available: capacity) }
  }
}
