internal import CSystem
internal import Glibc

extension BlockFile {
  /// A file in more pieces than this isn't sparse, but fragmented: asking costs more than reading.
  private static let maxPieces = 1 << 16

  /// The blocks of `range` that may hold anything: all but the holes of a sparse file, which read
  /// as zeroes. Ascending, in pieces that don't touch.
  ///
  /// A device counts as having no holes, and so does a file on a file system that can't tell.
  package func storedBlocks(in range: Range<UInt64>) -> [Range<UInt64>] {
    if range.isEmpty { return [] }
    if isBlockDevice { return [range] }
    let size = UInt64(MetadataBlock.size)
    var pieces: [Range<UInt64>] = []
    var next = range.lowerBound
    while next < range.upperBound {
      guard pieces.count < BlockFile.maxPieces else { return pieces + [next..<range.upperBound] }
      let data = dmm_next_data(descriptor, Int64(next * size), false)
      if data < 0, errno == ENXIO { break }
      guard data >= 0 else { return pieces + [next..<range.upperBound] }
      let begin = max(next, UInt64(data) / size)
      guard begin < range.upperBound else { break }
      let hole = dmm_next_data(descriptor, Int64(begin * size), true)
      // A partly stored block counts as stored. No piece may be empty, or this would not end.
      let end = hole < 0 ? range.upperBound : max(begin + 1, (UInt64(hole) + size - 1) / size)
      pieces.append(begin..<min(end, range.upperBound))
      next = end
    }
    return pieces
  }
}
