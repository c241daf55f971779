internal import PersistentData

/// What a repair of a cache kept and what it lost, in words.
package struct CacheSalvageSummary: Sendable {
  package let lines: [String]

  /// The most ranges or blocks that are named in one line.
  private static let maxRanges = 8

  package init(_ salvage: CacheSalvage) {
    let outcome = salvage.outcome
    var lines: [String] = []
    lines += CacheSalvageSummary.forSuperblock(salvage)
    lines += CacheSalvageSummary.forNumbers(salvage)
    lines += ArrayPlacement.summary(of: outcome.placedBlocks, in: "the mappings")
    lines += CacheSalvageSummary.forLosses(outcome)
    lines += CacheSalvageSummary.forDirtyBlocks(salvage)
    if outcome.lostHints > 0 {
      lines.append("\(outcome.lostHints) hints are lost: the policy learns them anew.")
    }
    lines.append(CacheSalvageSummary.total(salvage))
    if !salvage.isWhole {
      lines.append(
        "Keep the damaged metadata, and the cache device as it is, until the data is checked: what "
          + "is lost here may still be found in them.")
    }
    lines.append(
      "Discards are not carried over: the kernel learns them anew, and copies more than it must "
        + "until then.")
    self.lines = lines
  }

  private static func total(_ salvage: CacheSalvage) -> String {
    let outcome = salvage.outcome
    var line = "Kept \(outcome.kept)"
    if outcome.known > UInt64(outcome.kept) { line += " of \(outcome.known)" }
    line += " mappings, \(outcome.dirty) of them dirty"
    if salvage.isWhole { return line + "; the cache is whole." }
    return line
      + (outcome.losesNothing ? "; nothing is lost of that state." : "; the cache is NOT whole.")
  }

  private static func forSuperblock(_ salvage: CacheSalvage) -> [String] {
    switch salvage.superblockState {
    case .sound: []
    case .corrected: [SuperblockState.correctedLine]
    case .remade:
      forLostSuperblock(salvage)
    }
  }

  private static func forLostSuperblock(_ salvage: CacheSalvage) -> [String] {
    var lines = [
      "The superblock is lost; the cache was found from its other blocks: version "
        + "\(salvage.version), \(salvage.header.cacheBlockCount) cache blocks, policy "
        + "\(salvage.header.policy). Compare this with what LVM shows. Whether it was shut down "
        + "cleanly is not known.",
      "Which of the remaining states is the newest is inferred from the order in which kernels "
        + "write: check the data before you trust it.",
    ]
    let others = salvage.outcome.otherStates
    if others > 0 {
      lines.append(
        "This is DOUBTFUL: \(others + 1) states may be the newest. Only what all of them agree on "
          + "comes back.")
    }
    return lines
  }

  /// What is wrong in the superblock.
  private static func forNumbers(_ salvage: CacheSalvage) -> [String] {
    let outcome = salvage.outcome
    var lines: [String] = []
    if let before = outcome.cacheBlocksBefore {
      lines.append(
        "The superblock says that the cache has \(before) blocks; its mappings are those of "
          + "\(salvage.header.cacheBlockCount), and that number is used. --nr-cache-blocks "
          + "overrides it.")
    }
    if let before = outcome.versionBefore {
      lines.append(
        "The superblock says that the metadata is of version \(before), but it is of version "
          + "\(salvage.version).")
    }
    if outcome.isRootFound {
      lines.append(
        "The superblock pointed to the wrong block; the mappings were found through the "
          + "space map.")
    }
    return lines
  }

  private static func forLosses(_ outcome: CacheOutcome) -> [String] {
    var lines: [String] = []
    if !outcome.lost.isEmpty {
      lines.append(
        "Lost: what cache blocks \(outcome.lost.rangeText(atMost: maxRanges)) hold. If data there "
          + "was dirty, the origin has only an older version of it.")
    }
    for part in outcome.openParts.prefix(maxRanges) {
      lines.append(
        "Left out: \(part.mappingCount) mappings in block \(part.block) of the old metadata; which "
          + "cache blocks they belong to is not known.")
    }
    if outcome.openParts.count > maxRanges {
      lines.append("Left out: \(outcome.openParts.count - maxRanges) more blocks of this kind.")
    }
    if !outcome.impossible.isEmpty {
      lines.append(
        "Left out, as what is stored for them makes no sense: cache blocks "
          + "\(outcome.impossible.rangeText(atMost: maxRanges)).")
    }
    if !outcome.contested.isEmpty {
      lines.append(
        (outcome.otherStates > 0
          ? "Left out, as nothing tells what is right: cache blocks "
          : "Left out, as two cache blocks hold the same origin block and nothing tells which is "
            + "right: cache blocks ")
          + "\(outcome.contested.rangeText(atMost: maxRanges)). Data that was dirty in one of them "
          + "is only on the cache device.")
    }
    return lines
  }

  private static func forDirtyBlocks(_ salvage: CacheSalvage) -> [String] {
    let outcome = salvage.outcome
    if outcome.isFlagContradicted {
      return [
        "The cache is marked as shut down cleanly, but its dirty bits don't fit its mappings: "
          + "every block is taken for dirty, and will be written back."
      ]
    }
    if !salvage.isCleanShutdown {
      return [
        "It isn't certain that the cache was shut down cleanly, so every block is taken for dirty, "
          + "and will be written back."
      ]
    }
    if outcome.takenForDirty == 0 { return [] }
    return [
      "Dirty bits are lost: \(outcome.takenForDirty) blocks are taken for dirty, and will be "
        + "written back."
    ]
  }
}
