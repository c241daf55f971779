/// The values of blocks that may be part of an array, to compare with what former blocks of the
/// array still hold.
package struct PartValues<Value>: Sendable
where Value: FixedWidthInteger & BitwiseCopyable & Sendable {
  /// Not more than this many parts are kept: 8 MiB.
  private static var maxParts: Int { 1 << 11 }

  private let parts: [(block: MetadataBlock, values: [Value])]
  private let file: BlockFile

  package init(_ parts: [ArrayCensus.Part], in file: BlockFile) {
    self.file = file
    self.parts =
      parts.count > Self.maxParts
      ? [] : parts.compactMap { part in file.arrayValues(in: part.block).map { (part.block, $0) } }
  }

  /// How much each part is like what `former` holds, as `likeness` tells, which gets the values of
  /// `former` first, as many of both. `nil` if that is no such block, or there are too many parts.
  package func compared(
    with former: MetadataBlock, _ likeness: (_ former: [Value], _ part: [Value]) -> Int
  ) -> [MetadataBlock: Int]? {
    guard !parts.isEmpty, let old: [Value] = file.arrayValues(in: former) else { return nil }
    var result: [MetadataBlock: Int] = [:]
    for (block, values) in parts where values.count == old.count {
      result[block] = likeness(old, values)
    }
    return result
  }
}

extension BlockFile {
  /// All values of an array block that was written for `block`; `nil` if there is none with values
  /// of this size, or it can't be read.
  fileprivate func arrayValues<Value>(in block: MetadataBlock) -> [Value]?
  where Value: FixedWidthInteger & BitwiseCopyable & Sendable {
    let values = try? withBlock(block) { bytes -> [Value]? in
      let array = ArrayBlock(bytes)
      guard BlockKind(of: bytes) == .array, array.isSound(in: block),
        array.valueSize == Value.bitWidth / 8
      else { return nil }
      return (0..<array.entryCount).map { array.value($0) }
    }
    return values ?? nil
  }
}
