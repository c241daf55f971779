internal import PersistentData

/// How far on a device a census has to look.
///
/// A kernel gives out the lowest metadata blocks that are free, and starts from the beginning again
/// after each commit. So no block was ever written before nearly all below it had been, and what is
/// superseded stands among what is in use, or close behind it. Behind the last block in use, a long
/// stretch in which no block is anything is the end of what was ever written.
///
/// Counts are believed in one direction only: those that say that a block is free end nothing. A
/// bitmap that can't be read counts as if all its blocks were in use.
///
/// Source: Linux, drivers/md/persistent-data/dm-space-map-metadata.c, `sm_metadata_new_block_` and
/// `sm_metadata_commit`.
package struct CensusReach {
  /// Blocks in a stretch that ends it: as many as a bitmap counts, 64 MiB.
  static let stretch = Bitmap.entryCount

  /// All blocks before this one are looked at, whatever they hold.
  let end: UInt64

  /// To the end of the device: nothing is known of what is in use.
  static let whole = CensusReach(end: .max)

  private init(end: UInt64) { self.end = end }

  /// `superblock`: the pool's own, if it can be read.
  init(_ superblock: Superblock?, in file: BlockFile) {
    guard let superblock else {
      self = .whole
      return
    }
    var usage = BlockUsage(blockCount: min(file.blockCount, MetadataBlock.maximumCount))
    var findings = Findings()
    let map = StoredSpaceMap(
      PoolReader.Structure.metadataSpaceMap, root: superblock.metadataSpaceMap, index: .block,
      in: file, usage: &usage,
      findings: &findings)
    end = map.readCounts().lastIndex { $0 != 0 }.map { UInt64($0) + 1 } ?? 0
  }

  /// The blocks to look at, in parts, each in ascending order: first those that have to be, then,
  /// as long as the part before held anything, a stretch at a time of the others.
  func parts(of file: BlockFile) -> [[Range<UInt64>]] {
    let count = min(file.blockCount, MetadataBlock.maximumCount)
    let end = min(end, count)
    var parts = [end > 1 ? file.storedBlocks(in: 1..<end) : []]
    var part: [Range<UInt64>] = []
    var room = UInt64(CensusReach.stretch)
    for piece in max(1, end) < count ? file.storedBlocks(in: max(1, end)..<count) : [] {
      var begin = piece.lowerBound
      while begin < piece.upperBound {
        let next = min(piece.upperBound, begin + room)
        part.append(begin..<next)
        room -= next - begin
        begin = next
        if room == 0 {
          parts.append(part)
          part = []
          room = UInt64(CensusReach.stretch)
        }
      }
    }
    return part.isEmpty ? parts : parts + [part]
  }
}
