internal import PersistentData

/// How far on a device a census has to look.
///
/// A kernel allocates the lowest free metadata block, and starts from the beginning again after
/// each commit. So before a block was first written, nearly all below it had been, and superseded
/// blocks stand among those in use or close behind them. A long stretch without metadata behind the
/// last block in use is the end of what was ever written.
///
/// Counts are trusted in one direction only: a count that says a block is free doesn't end the
/// search. A bitmap that can't be read counts as if all its blocks were in use.
///
/// Source: Linux, drivers/md/persistent-data/dm-space-map-metadata.c, `sm_metadata_new_block_` and
/// `sm_metadata_commit`.
package struct CensusReach {
  /// Blocks without metadata that end the search: as many as a bitmap counts, almost 64 MiB.
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

  /// The blocks to look at, in parts, each ascending: first those that must be looked at, then the
  /// others, one stretch at a time, as long as the part before held anything.
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
