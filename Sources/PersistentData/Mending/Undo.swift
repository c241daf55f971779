/// Why overwritten blocks can't be put back. Nothing was written, except perhaps with `device`.
package enum UndoError: Error, Equatable {
  /// The undo file can't be read.
  case undoFile(IOError)
  /// The file named is something else.
  case notAnUndoFile
  case unknownVersion(UInt32)
  /// The undo file is damaged, or was cut off, at this block of it.
  case undoFileDamaged(block: UInt64)
  /// The undo file was made for a device of this other size, in blocks.
  case otherDevice(blockCount: UInt64)
  /// Some sector of this block is neither as it was before the mending nor as the mending left it.
  case changedSince(block: UInt64)
  /// The device can't be read or written.
  case device(IOError)
}

/// Puts back what `UndoRecorder` kept.
///
/// First everything is verified: the undo file as a whole, and that each sector of each block on
/// the device is as it was before the mending or after it: a write that a power cut interrupts
/// leaves some of each. Then the blocks are put back, block 0 last. Each step can be repeated, so
/// an interrupted undo is simply run again.
package struct Undo {
  private let source: BlockFile
  private let device: BlockFile
  /// The block of each group's table in the undo file, and its entries.
  private var groups: [(table: UInt64, entries: [UndoEntry])] = []
  /// How many blocks on the device differ from those kept.
  package private(set) var changedCount = 0

  /// Reads and verifies the undo file at `path` and the blocks of `device` that it lists.
  package init(reading path: String, for device: BlockFile) throws(UndoError) {
    do throws(IOError) { source = try BlockFile(path, .read) } catch {
      if case .tooSmall = error { throw .notAnUndoFile }
      throw .undoFile(error)
    }
    self.device = device
    try readHeader()
    try readGroups()
    for group in groups { try verify(group.table, group.entries) }
  }

  /// Puts everything back. Block 0 comes last, once the rest is on stable storage.
  package func apply() throws(UndoError) {
    try putBack { $0 != 0 }
    try putBack { $0 == 0 }
  }

  private func putBack(_ isWanted: (UInt64) -> Bool) throws(UndoError) {
    let buffer = BlockBuffer(blocks: 1)
    for group in groups {
      for (index, entry) in group.entries.enumerated() where isWanted(entry.block) {
        try read(buffer, group.table + 1 + UInt64(index))
        do throws(IOError) { try buffer.write(device, to: entry.block, count: 1) } catch {
          throw .device(error)
        }
      }
    }
    do throws(IOError) { try device.flush() } catch { throw .device(error) }
  }
}

// MARK: Verifying

extension Undo {
  private func readHeader() throws(UndoError) {
    let buffer = BlockBuffer(blocks: 1)
    try read(buffer, 0)
    let bytes = buffer[0]
    let hasMagic = UndoLayout.magic.enumerated().allSatisfy { offset, byte in
      bytes[Field<UInt8>(at: UndoLayout.Header.magic + offset)] == byte
    }
    guard hasMagic else { throw .notAnUndoFile }
    let sum = UndoLayout.checksum(bytes, count: UndoLayout.Header.checksum.offset)
    guard bytes[UndoLayout.Header.checksum] == sum else { throw .undoFileDamaged(block: 0) }
    let version = bytes[UndoLayout.Header.version]
    guard version == UndoLayout.version,
      bytes[UndoLayout.Header.blockSize] == UInt32(MetadataBlock.size)
    else { throw .unknownVersion(version) }
    let count = bytes[UndoLayout.Header.deviceBlockCount]
    guard count == device.blockCount else { throw .otherDevice(blockCount: count) }
  }

  private mutating func readGroups() throws(UndoError) {
    let buffer = BlockBuffer(blocks: 1)
    var block: UInt64 = 1
    while true {
      guard block < source.blockCount else { throw .undoFileDamaged(block: block) }
      try read(buffer, block)
      let bytes = buffer[0]
      let sum = UndoLayout.checksum(bytes, count: UndoLayout.Table.checksum.offset)
      let count = Int(bytes[UndoLayout.Table.count])
      guard bytes[UndoLayout.Table.checksum] == sum, count <= UndoLayout.Table.capacity else {
        throw .undoFileDamaged(block: block)
      }
      let entries = (0..<count).map { UndoEntry(bytes, at: UndoLayout.entryOffset($0)) }
      groups.append((block, entries))
      let end = block + 1 + UInt64(count)
      if bytes[UndoLayout.Table.isLast] == 1 {
        // Nothing follows the last group.
        guard source.blockCount == end else {
          throw .undoFileDamaged(block: min(end, source.blockCount))
        }
        return
      }
      block = end
    }
  }

  private mutating func verify(_ table: UInt64, _ entries: [UndoEntry]) throws(UndoError) {
    let buffer = BlockBuffer(blocks: 1)
    for (index, entry) in entries.enumerated() {
      let block = table + 1 + UInt64(index)
      try read(buffer, block)
      guard UndoLayout.checksum(buffer[0]) == entry.oldChecksum, entry.block < device.blockCount
      else { throw .undoFileDamaged(block: block) }
      let old = UndoLayout.sectors(buffer[0])
      do throws(IOError) { try buffer.read(device, from: entry.block, count: 1) } catch {
        throw .device(error)
      }
      let now = UndoLayout.sectors(buffer[0])
      if now == old { continue }
      for (sector, sum) in now.enumerated()
      where sum != old[sector] && sum != entry.newSectors[sector] {
        throw .changedSince(block: entry.block)
      }
      changedCount += 1
    }
  }

  private func read(_ buffer: BlockBuffer, _ block: UInt64) throws(UndoError) {
    do throws(IOError) { try buffer.read(source, from: block, count: 1) } catch {
      throw .undoFile(error)
    }
  }
}
