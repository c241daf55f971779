/// What every block of a device refers to, by itself: where the states are looked for that metadata
/// was in after its commits, when its superblock is lost.
///
/// Memory is bounded by the size of the device.
package struct StateCensus: Sendable {
  /// The blocks that a block of metadata refers to; `nil` when it is no metadata of this target.
  package typealias References = @Sendable (RawSpan, MetadataBlock) -> [UInt64]?

  package let file: BlockFile
  package let blockCount: UInt64
  /// Index blocks of metadata space maps, of whatever age, ascending.
  let indexBlocks: [UInt32]
  /// Where the references of a block start in `targets`; of blocks that are metadata.
  private let starts: [UInt32: Range<Int>]
  private let targets: [UInt32]
  private let bitmaps: Set<UInt32>

  /// Reads, once, all blocks that hold anything.
  package init(_ file: BlockFile, references: @escaping References) {
    self.file = file
    blockCount = min(file.blockCount, MetadataBlock.maximumCount)
    let blocks = file.storedBlocks(in: 1..<max(1, blockCount)).flatMap {
      UInt32($0.lowerBound)..<UInt32($0.upperBound)
    }
    file.progress.begin("looking for older states in all blocks", total: blocks.count)
    let visitors = BlockScan(file, blocks).run {
      Visitor(blocks: blocks, references: references)
    }
    indexBlocks = visitors.flatMap(\.indexBlocks).sorted()
    bitmaps = visitors.reduce(into: []) { $0.formUnion($1.bitmaps) }
    var starts: [UInt32: Range<Int>] = [:]
    var targets: [UInt32] = []
    for visitor in visitors {
      for (block, range) in visitor.starts {
        starts[block] = range.lowerBound + targets.count..<range.upperBound + targets.count
      }
      targets += visitor.targets
    }
    self.starts = starts
    self.targets = targets
  }

  /// All blocks that are metadata of this target, in no particular order.
  package var metadataBlocks: some Sequence<UInt32> { starts.keys }

  func isBitmap(_ block: UInt32) -> Bool { bitmaps.contains(block) }

  /// The blocks that a block refers to; `nil` when it is no metadata. A reference off the device is
  /// one to block 0.
  func references(of block: UInt32) -> ArraySlice<UInt32>? { starts[block].map { targets[$0] } }

  private struct Visitor: BlockVisitor {
    let blocks: [UInt32]
    let references: References
    var indexBlocks: [UInt32] = []
    var bitmaps: Set<UInt32> = []
    var starts: [(UInt32, Range<Int>)] = []
    var targets: [UInt32] = []

    init(blocks: [UInt32], references: @escaping References) {
      self.blocks = blocks
      self.references = references
    }

    mutating func unreadable(_ index: Int, _ error: IOError) {}

    mutating func visit(_ index: Int, _ bytes: RawSpan) {
      let block = MetadataBlock(blocks[index])
      switch BlockKind(of: bytes) {
      case nil: return
      case .metadataIndex where BlockFault(bytes, as: .metadataIndex, in: block) == nil:
        indexBlocks.append(block.number)
        note(block, [])
      case .bitmap where BlockFault(bytes, as: .bitmap, in: block) == nil:
        bitmaps.insert(block.number)
        note(block, [])
      default: if let found = references(bytes, block) { note(block, found) }
      }
    }

    private mutating func note(_ block: MetadataBlock, _ found: [UInt64]) {
      let start = targets.count
      targets += found.map { UInt32(exactly: $0) ?? 0 }
      starts.append((block.number, start..<targets.count))
    }
  }
}
