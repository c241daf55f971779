internal import Synchronization

/// Where the blocks of a pack file go, if anywhere, and which have arrived.
///
/// Several threads hand in blocks. Block 0 is kept back, and written after all others.
final class PackTarget: Sendable {
  let blockCount: UInt64

  private let file: BlockFile?
  private let state: Mutex<State>

  fileprivate struct State {
    /// A bit for each block.
    var seen: BlockTable<UInt64>
    var lowestTwice: UInt64?
    var superblock: BlockBuffer?
  }

  /// `file`: `nil` if blocks are only checked.
  init(_ file: BlockFile?, blockCount: UInt64) {
    self.file = file
    self.blockCount = blockCount
    state = Mutex(State(seen: BlockTable(count: blockCount / 64 + 1)))
  }

  var isWritten: Bool { file != nil }
  var lowestTwice: UInt64? { state.withLock { $0.lowestTwice } }

  func has(_ block: UInt64) -> Bool { state.withLock { $0.has(block) } }

  /// Notes that a block has arrived.
  func add(_ block: UInt64) {
    state.withLock { state in
      if state.has(block) { state.lowestTwice = min(block, state.lowestTwice ?? block) }
      state.seen[Int(block / 64)] |= 1 << (block % 64)
    }
  }

  /// Keeps a copy of block 0.
  func keep(superblock: RawSpan) {
    guard isWritten else { return }
    let copy = BlockBuffer(blocks: 1)
    copy.edit(0) { $0.copy(superblock, from: 0, count: MetadataBlock.size, to: 0) }
    state.withLock { $0.superblock = copy }
  }

  /// Writes the first `count` blocks of `buffer` to the device from block `first` on.
  func write(_ buffer: BlockBuffer, _ first: UInt64, _ count: Int) throws(IOError) {
    if let file { try buffer.write(file, to: first, count: count) }
  }

  /// Writes block 0. Unless the output is a new file, which doesn't need it, first overwrites all
  /// blocks that did not arrive with zeroes and waits until everything else is on stable storage.
  func finish(isNew: Bool) throws(IOError) {
    guard let file else { return }
    if !isNew {
      try fillGaps(file)
      try file.flush()
    }
    let superblock = state.withLock { $0.superblock } ?? BlockBuffer(zeroedBlocks: 1)
    try superblock.write(file, to: 0, count: 1)
    if !isNew { try file.flush() }
  }

  private func fillGaps(_ file: BlockFile) throws(IOError) {
    let zeroes = BlockBuffer(zeroedBlocks: 256)
    var block: UInt64 = 1
    while block < blockCount {
      var end = block
      while end < blockCount, end - block < 256, !has(end) { end += 1 }
      if end > block { try zeroes.write(file, to: block, count: Int(end - block)) }
      block = max(end, block + 1)
    }
  }
}

extension PackTarget.State {
  fileprivate func has(_ block: UInt64) -> Bool { seen[Int(block / 64)] >> (block % 64) & 1 == 1 }
}
