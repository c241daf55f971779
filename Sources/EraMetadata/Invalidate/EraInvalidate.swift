package import PersistentData

/// Which blocks may have been written since an era: what a backup, or a cache in front of the
/// device, has to read anew.
///
/// A block counts when the era array has that era or a later one for it, or when an archived or the
/// current writeset from that era on has it. The metadata snapshot has no current writeset: what
/// was written in its own era is in the live metadata only.
package struct EraInvalidate: Sendable {
  /// One bit for each block of the device.
  package let blocks: Bitset

  /// Throws where anything that counts can't be read, or a metadata snapshot is wanted and there
  /// is none: a block too few would be missed by a backup.
  package init(
    _ reader: inout EraReader, writtenSince era: UInt64, inSnapshot: Bool
  ) throws(EraReadError<Never>) {
    guard reader.findings.worst != .error, let view = inSnapshot ? reader.held : reader.live
    else { throw .damaged(reader.findings) }
    var blocks = Bitset(bitCount: Int(view.superblock.blockCount))
    for writeset in view.archived + (view.current.map { [$0] } ?? []) where writeset.era >= era {
      guard let bits = reader.readBits(of: writeset) else { throw .damaged(reader.findings) }
      blocks.formUnion(bits)
    }
    var array = view.eraArray
    try array.forEachChunk(of: UInt32.self, findings: &reader.findings) {
      (chunk, findings) throws(EraReadError<Never>) in
      guard findings.worst != .error else { throw .damaged(findings) }
      for (index, value) in chunk.values.enumerated() where UInt64(value ?? 0) >= era {
        blocks[chunk.first + UInt64(index)] = true
      }
    }
    self.blocks = blocks
  }
}
