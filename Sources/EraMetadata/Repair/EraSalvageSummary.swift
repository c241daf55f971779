internal import PersistentData

/// What a repair of era metadata kept and what it lost, in words.
package struct EraSalvageSummary: Sendable {
  package let lines: [String]

  /// The most ranges or eras that are named in one line.
  private static let maxRanges = 8

  package init(_ salvage: EraSalvage) {
    let outcome = salvage.outcome
    var lines: [String] = []
    lines += EraSalvageSummary.forSuperblock(salvage)
    lines += ArrayPlacement.summary(of: outcome.placedBlocks, in: "the era array")
    lines += EraSalvageSummary.forEras(outcome)
    lines += EraSalvageSummary.forWritesets(outcome)
    let count = UInt64(salvage.header.blockCount)
    lines.append(
      "Kept the eras of \(outcome.kept) of \(count) blocks and \(outcome.keptWritesets) of "
        + "\(outcome.keptWritesets + outcome.lostWritesets.count) writesets"
        + (outcome.losesNothing
          ? salvage.isWhole ? "; the metadata is whole." : "; nothing is lost of that state."
          : "; what is lost counts as written as late as it can have been."))
    if salvage.superblockState == .remade {
      lines.append(
        "Nothing proves that there was no newer state, which would know of more writes. Have the "
          + "next backup read everything, and keep the damaged metadata until it is made.")
    } else if !salvage.isWhole {
      lines.append(
        "A backup of what was written since an era now reads more than it must, but misses "
          + "nothing. Keep the damaged metadata until you have made one.")
    }
    self.lines = lines
  }

  private static func forSuperblock(_ salvage: EraSalvage) -> [String] {
    var lines: [String] = []
    switch salvage.superblockState {
    case .sound: break
    case .corrected: lines.append(SuperblockState.correctedLine)
    case .remade:
      lines.append(
        "The superblock is lost; the rest was found from other blocks, in the newest state that is "
          + "left: \(salvage.header.blockCount) blocks, current era \(salvage.header.currentEra).")
    }
    if let before = salvage.outcome.raisedFrom {
      lines.append(
        "The superblock says that era \(before) is the current one, but there are later ones: it "
          + "is \(salvage.header.currentEra) now.")
    }
    if let before = salvage.outcome.blockCountBefore {
      lines.append(
        "The superblock says that the origin has \(before) blocks; the era array has "
          + "\(salvage.header.blockCount), and that number is used. --nr-blocks overrides it.")
    }
    if salvage.outcome.isRootFound {
      lines.append("The superblock pointed to the wrong block; the right one was found.")
    }
    return lines
  }

  private static func forEras(_ outcome: EraOutcome) -> [String] {
    var lines: [String] = []
    if !outcome.lostBlocks.isEmpty {
      lines.append(
        "Lost: the eras of blocks \(outcome.lostBlocks.rangeText(atMost: maxRanges)). They count "
          + "as written in era \(outcome.lostBlocksEra), the latest that it can have been.")
    }
    if outcome.impossible > 0 {
      lines.append(
        "\(outcome.impossible) blocks had an era later than the current one: they count as written "
          + "in the current one.")
    }
    return lines
  }

  private static func forWritesets(_ outcome: EraOutcome) -> [String] {
    var lines: [String] = []
    if let lost = outcome.lostEras {
      lines.append(
        "Lost: writesets of eras up to \(lost.upperBound). Every block counts as written in era "
          + "\(lost.upperBound)"
          + (outcome.supersededWritesets > 0
            ? "; \(outcome.supersededWritesets) writesets of earlier eras add nothing to that."
            : "."))
    }
    if !outcome.lostWritesets.isEmpty {
      let eras = outcome.lostWritesets.map { $0...$0 }.rangeText(atMost: maxRanges)
      lines.append(
        "Parts of the writesets of eras \(eras) are lost: there every block counts as written.")
    }
    return lines
  }
}
