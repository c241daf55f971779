internal import PersistentData

/// When the blocks of an origin were last written, as far as any of several states knows.
///
/// Eras only grow, so the newest state knows of every write that an older one knows of. One that
/// doesn't is older, or was partly overwritten, or is left from another device that had its
/// metadata in the same place before.
///
/// Memory: for each block of an array on the device, less than the block takes there.
struct KnownWrites {
  /// A block of the era array, or of a writeset.
  private struct Part: Hashable {
    let kind: EraState.Array.Kind
    let place: Int

    /// Blocks of a bitset and of the era array start together at each block of a bitset.
    var span: Int { kind == .eras ? place / KnownWrites.eraBlocksPerSpan : place }
    /// Its first entry, counted from the beginning of the span.
    var firstEntry: Int {
      kind == .eras ? place % KnownWrites.eraBlocksPerSpan * KnownWrites.entriesPerEraBlock : 0
    }
    var entryCount: Int { Int(kind.shape.entriesPerBlock) }
  }

  private typealias Parts = [(part: Part, block: MetadataBlock?)]

  private static let entriesPerSpan = Int(EraReader.Structure.writeset.entriesPerBlock)
  private static let entriesPerEraBlock = Int(EraReader.Structure.eraArray.entriesPerBlock)
  private static let eraBlocksPerSpan = entriesPerSpan / entriesPerEraBlock

  private let file: BlockFile
  /// By span.
  private let known: [Int: Parts]

  init(_ states: [EraState], in file: BlockFile) {
    self.file = file
    var parts: [MetadataBlock: Part?] = [:]
    let arrays = Set(states.flatMap(\.arrays))
    let ofUnknownEra = arrays.filter { $0.kind == .writeset(era: nil) }
    for array in arrays.subtracting(ofUnknownEra) {
      for case (let part, let block?) in KnownWrites.parts(of: array, in: file) {
        // What states have at different places was overwritten: it belongs to one of them only.
        let isOverwritten = parts[block].map { $0 != part } ?? false
        parts.updateValue(isOverwritten ? nil : part, forKey: block)
      }
    }
    for array in ofUnknownEra {
      for case (let part, let block?) in KnownWrites.parts(of: array, in: file) {
        if parts[block] == nil { parts.updateValue(part, forKey: block) }
      }
    }
    let certain: Parts = parts.compactMap { block, part in part.map { ($0, block) } }
    known = Dictionary(grouping: certain, by: \.part.span)
  }

  /// Whether a state knows of all these writes. What it doesn't tell counts as written last, as it
  /// will in what is repaired.
  func areKnown(to state: EraState) -> Bool {
    let own = Dictionary(
      grouping: state.arrays.flatMap { KnownWrites.parts(of: $0, in: file) }, by: \.part.span)
    return known.allSatisfy { span, parts in
      let sure = eras(parts, unknown: 1, lost: 0)
      return zip(eras(own[span] ?? [], unknown: .max, lost: .max), sure).allSatisfy(>=)
    }
  }

  private static func parts(of array: EraState.Array, in file: BlockFile) -> Parts {
    let extent = ArrayExtent(below: array.root, array.kind.shape.valueSize, in: file)
    return extent.blocks.enumerated().map { (Part(kind: array.kind, place: $0), $1) }
  }

  /// The last era of each block in a span. `unknown`: for a writeset whose era isn't known. `lost`:
  /// where a part can't be read.
  private func eras(_ parts: Parts, unknown: UInt32, lost: UInt32) -> [UInt32] {
    var eras = [UInt32](repeating: 0, count: KnownWrites.entriesPerSpan)
    for (part, block) in parts {
      let isRead = block.map { read(part, $0, unknown: unknown, into: &eras) } ?? false
      if isRead { continue }
      for entry in part.firstEntry..<part.firstEntry + part.entryCount {
        eras[entry] = max(eras[entry], lost)
      }
    }
    return eras
  }

  /// Raises eras to those of a part; `false` if it can't be read.
  private func read(
    _ part: Part, _ block: MetadataBlock, unknown: UInt32, into eras: inout [UInt32]
  ) -> Bool {
    let isRead = try? file.withBlock(block) { bytes in
      let array = ArrayBlock(bytes)
      guard BlockKind(of: bytes) == .array, array.isSound(in: block),
        array.valueSize == part.kind.shape.valueSize
      else { return false }
      switch part.kind {
      case .eras:
        let stored: Span<UInt32> = array.stored(array.entryCount)
        for index in stored.indices {
          let entry = part.firstEntry + index
          eras[entry] = max(eras[entry], UInt32(littleEndian: stored[index]))
        }
      case .writeset(let era):
        KnownWrites.raise(&eras, to: era ?? unknown, where: array.stored(array.entryCount))
      }
      return true
    }
    return isRead ?? false
  }

  /// Raises the eras of blocks whose bit is set.
  private static func raise(_ eras: inout [UInt32], to era: UInt32, where words: Span<UInt64>) {
    for index in words.indices {
      var word = UInt64(littleEndian: words[index])
      while word != 0 {
        let entry = index * UInt64.bitWidth + word.trailingZeroBitCount
        eras[entry] = max(eras[entry], era)
        word &= word - 1
      }
    }
  }
}
