package import PersistentData

/// A cache block whose data the origin lacks, or may lack.
package struct DirtyBlock: Hashable, Sendable {
  package let cacheBlock: UInt32
  package let originBlock: UInt64
}

/// The blocks of a cache that have to be written back: what a kernel takes for dirty.
package struct DirtyBlocks: Sendable {
  /// Ascending by origin block.
  package let blocks: [DirtyBlock]
  /// Of the metadata: these arrays tell which blocks are dirty.
  fileprivate let mappings: StoredArray
  fileprivate let dirtyBits: StoredArray?
  fileprivate let isCleanShutdown: Bool

  /// `reader`: of metadata that a check found no error in.
  package init(_ reader: CacheReader) throws(ReadError<Never>) {
    var reader = reader
    guard reader.findings.worst != .error, var array = reader.mappings else {
      throw .damaged(reader.findings)
    }
    let isClean = reader.superblock.isCleanShutdown
    let bits = isClean ? DirtyBlocks.readBits(&reader) : nil
    let visitors = array.readBlocks(findings: &reader.findings) {
      DirtyVisitor(isClean: isClean, bits: bits)
    }
    guard reader.findings.worst != .error else { throw .damaged(reader.findings) }
    blocks = visitors.flatMap(\.found).sorted { $0.originBlock < $1.originBlock }
    mappings = array
    dirtyBits = reader.dirtyBits
    isCleanShutdown = isClean
  }

  private static func readBits(_ reader: inout CacheReader) -> Bitset? {
    guard var stored = reader.dirtyBits else { return nil }
    return Bitset(&stored, findings: &reader.findings)
  }
}

extension DirtyBlocks {
  /// Marks cache blocks clean where the metadata says that they are dirty. They have been written
  /// to the origin, and are on stable storage there.
  ///
  /// After an unclean shutdown nothing is written: dirty bits aren't trusted then, and the kernel
  /// writes everything back once more.
  package func markClean(_ copied: Bitset, in file: BlockFile) throws(IOError) {
    guard isCleanShutdown else { return }
    var editor = DeviceEditor(file)
    if let dirtyBits {
      try edit(dirtyBits, touching: copied, &editor) { bytes, range in
        for (index, first) in stride(from: range.lowerBound, to: range.upperBound, by: 64)
          .enumerated()
        {
          let field: Field<UInt64> = ArrayBlock.field(index)
          bytes[field] &= ~copied.word(from: first)
        }
      }
    } else {
      try edit(mappings, touching: copied, &editor) { bytes, range in
        for (index, block) in range.enumerated() where copied[block] {
          let field: Field<UInt64> = ArrayBlock.field(index)
          bytes[field] = CacheMapping(bytes[field]).clean.value
        }
      }
    }
    try editor.flush()
  }

  /// Edits those blocks of an array that have an entry among `copied`, each once.
  private func edit(
    _ array: StoredArray, touching copied: Bitset, _ editor: inout DeviceEditor,
    _ body: (inout MutableRawSpan, Range<UInt64>) -> Void
  ) throws(IOError) {
    for (place, block) in array.blocks.enumerated() {
      let range = array.range(ofBlock: place)
      guard let block, copied.hasAny(in: range) else { continue }
      try editor.edit(block, sealedAs: .array) { body(&$0, range) }
    }
  }
}

private struct DirtyVisitor: ArrayVisitor {
  let isClean: Bool
  let bits: Bitset?
  var found: [DirtyBlock] = []

  init(isClean: Bool, bits: Bitset?) {
    self.isClean = isClean
    self.bits = bits
  }

  mutating func visit(_ place: Int, _ block: ArrayBlock, wanted: Int) {
    let first = UInt64(place) * CacheReader.Structure.mappings.entriesPerBlock
    for index in 0..<wanted {
      let mapping = CacheMapping(block.value(index))
      let cacheBlock = first + UInt64(index)
      guard mapping.isValid, !isClean || (bits.map { $0[cacheBlock] } ?? mapping.isDirty)
      else { continue }
      found.append(
        DirtyBlock(
          cacheBlock: UInt32(clamping: cacheBlock), originBlock: mapping.originBlock))
    }
  }
}
