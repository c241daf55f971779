/// The references held by every block of a device, judged by itself: used to find the states after
/// earlier commits when the superblock is lost.
///
/// Memory is bounded by the size of the device.
package struct StateCensus: Sendable {
  /// The blocks that a block of metadata refers to; `nil` when it isn't metadata of this target.
  package typealias References = @Sendable (RawSpan, MetadataBlock) -> [UInt64]?

  package let file: BlockFile
  package let blockCount: UInt64
  /// Index blocks of metadata space maps, of whatever age, ascending.
  let indexBlocks: [MetadataBlock]
  /// The range in `targets` of each metadata block's references.
  private let starts: [MetadataBlock: Range<Int>]
  private let targets: [MetadataBlock?]
  private let bitmaps: Set<MetadataBlock>

  /// Reads all stored blocks once.
  package init(_ file: BlockFile, references: @escaping References) {
    self.file = file
    blockCount = min(file.blockCount, MetadataBlock.maximumCount)
    let blocks = file.storedBlocks(in: 1..<max(1, blockCount)).flatMap {
      UInt32($0.lowerBound)..<UInt32($0.upperBound)
    }
    file.progress.begin("looking for older states in all blocks", total: blocks.count)
    let visitors = BlockScan(file, blocks).run { [blockCount] in
      Visitor(blocks: blocks, blockCount: blockCount, references: references)
    }
    indexBlocks = visitors.flatMap(\.indexBlocks).sorted()
    bitmaps = visitors.reduce(into: []) { $0.formUnion($1.bitmaps) }
    var starts: [MetadataBlock: Range<Int>] = [:]
    var targets: [MetadataBlock?] = []
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
  package var metadataBlocks: some Sequence<MetadataBlock> { starts.keys }

  func isBitmap(_ block: MetadataBlock) -> Bool { bitmaps.contains(block) }

  /// The blocks that a block refers to, each `nil` if off the device; `nil` when it isn't metadata.
  func references(of block: MetadataBlock) -> ArraySlice<MetadataBlock?>? {
    starts[block].map { targets[$0] }
  }

  private struct Visitor: BlockVisitor {
    let blocks: [UInt32]
    let blockCount: UInt64
    let references: References
    var indexBlocks: [MetadataBlock] = []
    var bitmaps: Set<MetadataBlock> = []
    var starts: [(MetadataBlock, Range<Int>)] = []
    var targets: [MetadataBlock?] = []

    init(blocks: [UInt32], blockCount: UInt64, references: @escaping References) {
      self.blocks = blocks
      self.blockCount = blockCount
      self.references = references
    }

    mutating func unreadable(_ index: Int, _ error: IOError) {}

    mutating func visit(_ index: Int, _ bytes: RawSpan) {
      let block = MetadataBlock(blocks[index])
      switch BlockKind(of: bytes) {
      case nil: return
      case .metadataIndex where BlockFault(bytes, as: .metadataIndex, in: block) == nil:
        indexBlocks.append(block)
        note(block, [])
      case .bitmap where BlockFault(bytes, as: .bitmap, in: block) == nil:
        bitmaps.insert(block)
        note(block, [])
      default: if let found = references(bytes, block) { note(block, found) }
      }
    }

    private mutating func note(_ block: MetadataBlock, _ found: [UInt64]) {
      let start = targets.count
      targets += found.map { MetadataBlock(pointer: $0, count: blockCount) }
      starts.append((block, start..<targets.count))
    }
  }
}
