internal import PersistentData

/// How many data blocks each set of sharers has, and how many none has.
struct SetCounts {
  private(set) var sharers: [PoolPicture.Sharers] = []
  /// Blocks of sets that could not be kept.
  private(set) var tooMany: UInt64 = 0
  private(set) var mapped: UInt64 = 0
  private(set) var snapshotOnly: UInt64 = 0
  /// In use, but mapped by nothing that can be read.
  private(set) var doubtful: UInt64 = 0
  /// Not mapped, and with stored counts that can't be read.
  private(set) var untold: UInt64 = 0

  init(_ survey: SharingSurvey, _ used: UsedBlocks) {
    var counts = [UInt64](repeating: 0, count: survey.sets.indices.count)
    for block in 0..<Int(survey.end) {
      let set = survey.table[block]
      if set == SharerSets.tooMany { tooMany += 1 } else { counts[Int(set)] += 1 }
    }
    mapped = counts.dropFirst().reduce(tooMany, +)
    for set in survey.sets.indices.dropFirst() where counts[set] > 0 {
      let members = survey.sets.members(set)
      let sharers = PoolPicture.Sharers(
        volumes: members.filter { $0 < survey.others }.map { survey.told[$0] },
        hasOthers: members.contains(survey.others), hasSnapshot: members.contains(survey.snapshot),
        blocks: counts[set])
      if sharers.count == 0 { snapshotOnly += sharers.blocks }
      self.sharers.append(sharers)
    }
    self.sharers.sort { ($1.blocks, $0.volumes.count) < ($0.blocks, $1.volumes.count) }
    used.forEachUsed { block in
      if block >= survey.end || survey.table[Int(block)] == SharerSets.none { doubtful += 1 }
    }
    for range in used.unreadable {
      for block in range where block >= survey.end || survey.table[Int(block)] == SharerSets.none {
        untold += 1
      }
    }
  }
}
