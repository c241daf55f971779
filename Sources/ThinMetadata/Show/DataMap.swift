internal import PersistentData

/// The data device in cells of equal size, from its first block to the last in use.
package struct DataMap: Sendable {
  /// Cells on a side of the largest square that they fill.
  package static let maxOnSide = 64

  package struct Cell: Sendable {
    /// Blocks that are mapped, and blocks that are in use while nothing that can be read maps them.
    package fileprivate(set) var mapped: UInt64 = 0
    package fileprivate(set) var doubtful: UInt64 = 0
    /// The volume that has most of the cell alone, as a place in the picture's list; `nil` where
    /// most is shared.
    package fileprivate(set) var owner: Int?
    /// How many volumes map the block that is shared most.
    package fileprivate(set) var mostSharers = 0
  }

  package let cells: [Cell]
  package let blocksPerCell: UInt64
  /// One past the last block in use.
  package let end: UInt64

  /// Cells on a side of the square that they fill, a power of 2.
  package var side: Int {
    var side = 1
    while side * side < cells.count { side *= 2 }
    return side
  }

  init(_ survey: SharingSurvey, _ used: UsedBlocks) {
    var end = survey.end
    used.forEachUsed { end = max(end, $0 + 1) }
    let size = max(
      1,
      (end + UInt64(DataMap.maxOnSide * DataMap.maxOnSide) - 1)
        / UInt64(DataMap.maxOnSide * DataMap.maxOnSide))
    var cells = [Cell](repeating: Cell(), count: Int((end + size - 1) / size))
    let sets = DataMap.meanings(survey)
    for index in cells.indices {
      let first = UInt64(index) * size
      if first >= survey.end { break }
      cells[index].look(at: first..<min(survey.end, first + size), survey.table, sets)
    }
    used.forEachUsed { block in
      if block >= survey.end || survey.table[Int(block)] == SharerSets.none {
        cells[Int(block / size)].doubtful += 1
      }
    }
    self.cells = cells
    self.end = end
    blocksPerCell = size
  }

  /// By set: its one volume, and how many sharers it has.
  private static func meanings(_ survey: SharingSurvey) -> [(owner: Int?, count: Int)] {
    survey.sets.indices.map { set in
      let members = survey.sets.members(set).filter { $0 != survey.snapshot }
      let owner = members.count == 1 && members[0] < survey.others ? survey.told[members[0]] : nil
      return (owner, members.count)
    }
  }
}

extension DataMap.Cell {
  /// Looks at the blocks of the cell, up to the last that is mapped.
  fileprivate mutating func look(
    at blocks: Range<UInt64>, _ table: BlockTable<UInt16>, _ sets: [(owner: Int?, count: Int)]
  ) {
    // A majority vote: the set of most blocks is left when each block cancels one of another set.
    var (candidate, lead) = (SharerSets.none, 0)
    for block in blocks {
      let set = table[Int(block)]
      if set == SharerSets.none { continue }
      mapped += 1
      mostSharers = max(mostSharers, set == SharerSets.tooMany ? 2 : sets[Int(set)].count)
      if lead == 0 { candidate = set }
      lead += set == candidate ? 1 : -1
    }
    if candidate != SharerSets.tooMany { owner = sets[Int(candidate)].owner }
  }
}
