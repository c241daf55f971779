internal import Synchronization
internal import Threads

/// Processes the blocks of a `BlockScan`. Each worker has its own visitor, so a visitor needs no
/// lock for what it collects.
package protocol BlockVisitor: Sendable {
  /// `index` is the block's place in the scan's list. The bytes are lent for the call.
  mutating func visit(_ index: Int, _ bytes: RawSpan)
  /// The device failed to read this block.
  mutating func unreadable(_ index: Int, _ error: IOError)
}

/// Reads a list of blocks, each once, in location order, in large reads, on all cores.
///
/// Blocks close together are read in one call, small gaps included: up to 512 KiB, which are still
/// in the core's cache when they are checksummed. If a read fails, its blocks are read one by one,
/// so that a bad sector costs only the block it is in.
package struct BlockScan: Sendable {
  /// 512 KiB: large enough for any disk, small enough for the second-level cache.
  private static let blocksPerRead = 128
  /// Reading past this many unwanted blocks is cheaper than another call.
  static let widestGap: UInt32 = 8
  /// Fewer blocks than this aren't worth another worker.
  private static let blocksPerWorker = 512

  private let file: BlockFile
  private let blocks: [UInt32]
  /// Where in `blocks` each read starts; the last element is the end of the list.
  private let readStarts: [Int]
  /// Blocks in the longest read, gaps included.
  private let longestRead: Int

  /// `blocks`: numbers on the device, ascending, none twice.
  package init(_ file: BlockFile, _ blocks: [UInt32]) {
    self.file = file
    self.blocks = blocks
    var starts = [0]
    for index in blocks.indices.dropFirst() {
      let first = blocks[starts[starts.count - 1]]
      let tooWide = blocks[index] - blocks[index - 1] > BlockScan.widestGap
      if tooWide || blocks[index] - first >= UInt32(BlockScan.blocksPerRead) {
        starts.append(index)
      }
    }
    if !blocks.isEmpty { starts.append(blocks.count) }
    readStarts = starts
    longestRead =
      zip(starts, starts.dropFirst()).map { Int(blocks[$1 - 1] - blocks[$0]) + 1 }.max() ?? 0
  }

  /// The same, for blocks known to lie on the device.
  package init(_ file: BlockFile, _ blocks: [MetadataBlock]) {
    self.init(file, blocks.map(\.number))
  }

  /// Visits all blocks and returns the workers' visitors, in no particular order.
  package func run<Visitor: BlockVisitor>(_ makeVisitor: @Sendable () -> Visitor) -> [Visitor] {
    let readCount = readStarts.count - 1
    guard readCount > 0 else { return [] }
    let workers = min(
      Workers.coreCount, readCount, max(1, blocks.count / BlockScan.blocksPerWorker))
    let next = Atomic(0)
    let done = Mutex<[Visitor]>([])
    Workers.run(workers) {
      var visitor = makeVisitor()
      let buffer = BlockBuffer(blocks: longestRead)
      while true {
        let read = next.add(1, ordering: .relaxed).oldValue
        guard read < readCount else { break }
        visit(readStarts[read]..<readStarts[read + 1], through: buffer, with: &visitor)
        file.progress.advance(readStarts[read + 1] - readStarts[read])
      }
      done.withLock { $0.append(visitor) }
    }
    return done.withLock { $0 }
  }

  private func visit<Visitor: BlockVisitor>(
    _ range: Range<Int>, through buffer: BlockBuffer, with visitor: inout Visitor
  ) {
    let first = blocks[range.lowerBound]
    let count = Int(blocks[range.upperBound - 1] - first) + 1
    do {
      try buffer.read(file, from: UInt64(first), count: count)
    } catch {
      return visitOneByOne(range, through: buffer, with: &visitor)
    }
    for index in range {
      visitor.visit(index, buffer[Int(blocks[index] - first)])
    }
  }

  private func visitOneByOne<Visitor: BlockVisitor>(
    _ range: Range<Int>, through buffer: BlockBuffer, with visitor: inout Visitor
  ) {
    for index in range {
      do {
        try buffer.read(file, from: UInt64(blocks[index]), count: 1)
      } catch {
        visitor.unreadable(index, error)
        continue
      }
      visitor.visit(index, buffer[0])
    }
  }
}
