/// Reads some leaves in location order, and hands them on in the order the caller asked for.
package struct LeafBatch {
  /// Leaves that a batch can hold: 512 KiB, so that they, their runs and the text made from them
  /// stay in the second-level cache.
  package static let capacity = 128

  private let file: BlockFile
  private let buffer = BlockBuffer(blocks: LeafBatch.capacity)
  /// Holds what was found wrong with leaves so far.
  package var reader: NodeReader

  package init(_ tree: Tree, in file: BlockFile) {
    self.file = file
    reader = NodeReader(tree, file.treatment)
  }

  /// Reads at most `capacity` leaves and gives the sound ones to `visit`, by their index.
  package mutating func read(
    _ references: [NodeReference], _ visit: (Int, BTreeNode, inout Findings) -> Void
  ) {
    precondition(references.count <= LeafBatch.capacity)
    let order = references.indices.sorted { references[$0].block < references[$1].block }
    var slots = [Int](repeating: 0, count: references.count)
    var errors: [Int: IOError] = [:]
    for (slot, index) in order.enumerated() { slots[index] = slot }
    readRuns(order.map { references[$0].block.number }, &errors)
    file.progress.advance(references.count)
    let buffer = buffer
    for (index, reference) in references.enumerated() {
      if let error = errors[slots[index]] {
        reader.unreadable(reference, error)
      } else {
        reader.read(buffer[slots[index]], as: reference, height: 0) { visit(index, $0, &$1) }
      }
    }
  }

  /// Reads `blocks`, ascending, into the buffer's slots; adjacent blocks with one call.
  private func readRuns(_ blocks: [UInt32], _ errors: inout [Int: IOError]) {
    var start = 0
    while start < blocks.count {
      var end = start + 1
      while end < blocks.count, blocks[end] == blocks[end - 1] + 1 { end += 1 }
      if !read(blocks, start..<end, &errors) {
        for slot in start..<end { _ = read(blocks, slot..<slot + 1, &errors) }
      }
      start = end
    }
  }

  private func read(
    _ blocks: [UInt32], _ slots: Range<Int>, _ errors: inout [Int: IOError]
  ) -> Bool {
    do {
      try buffer.read(
        file, from: UInt64(blocks[slots.lowerBound]), count: slots.count, into: slots.lowerBound)
      return true
    } catch {
      if slots.count == 1 { errors[slots.lowerBound] = error }
      return false
    }
  }
}
