/// Why metadata could not be written.
package enum WriteError: Error {
  /// What is described makes no sense; what is wrong, as a sentence.
  case rejected(String)
  case output(IOError)
  /// The output has too few blocks; everything has been counted, nothing written that could be
  /// taken for metadata. The count may be a few blocks too high where leaves are shared, as what
  /// those hold that were not written can't be told.
  case outputTooSmall(needed: UInt64, available: UInt64)
  /// What was written does not read as it should; it has no superblock, or still the old one.
  case notApproved
  /// No metadata device can hold what is described, which takes so many blocks or more.
  case tooLarge(needed: UInt64)
}

extension BlockWriter {
  /// Ends new metadata: writes its space map, then the superblock that `make` returns, when all the
  /// rest is on stable storage.
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
