internal import PersistentData

/// Blocks that may be part of the era array, told apart by their eras.
struct EraParts: ArrayContents {
  private let eras: PartValues<UInt32>

  init(_ parts: [ArrayCensus.Part], in file: BlockFile) { eras = PartValues(parts, in: file) }

  func fits(_ part: ArrayCensus.Part, _ place: Int) -> Bool { true }

  /// The era of a block only ever rises.
  func successors(of former: MetadataBlock) -> Set<MetadataBlock>? {
    let risen = eras.compared(with: former) { old, new in
      zip(old, new).allSatisfy { $0 <= $1 } ? 1 : 0
    }
    return risen.map { Set($0.filter { $0.value > 0 }.keys) }
  }
}
