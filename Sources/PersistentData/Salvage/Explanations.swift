/// The smallest sets of suspects that, assumed wrong, explain everything: those with the fewest
/// faults, including blocks that are damaged anyway.
///
/// Counts that contradict each other don't show which block is wrong. So each suspect alone is
/// assumed wrong, and what then remains is judged; if none explains everything, pairs are tried. Of
/// several explanations of equal size, any may be the true one.
package struct Explanations<Suspect: Hashable & Sendable>: Sendable {
  package private(set) var found: [[Suspect]] = []
  /// Whether all suspects were tried, alone or in pairs.
  package private(set) var isExhaustive = true

  /// The number of faults in the explanations found.
  package private(set) var fewest = Int.max

  /// `suspects`: the strongest first. `limit`: the most assumptions to judge, each of which can
  /// cost as much as reading the pool again. `faults`: the number of faults if all these are wrong;
  /// `nil` if something is left unexplained. `inPairsOnly`: single suspects have been tried
  /// already.
  package init(
    of suspects: [Suspect], atMost limit: Int, inPairsOnly: Bool = false,
    faults: ([Suspect]) -> Int?
  ) {
    var left = limit
    for suspect in inPairsOnly ? [] : suspects {
      guard left > 0 else {
        isExhaustive = false
        break
      }
      left -= 1
      if let count = faults([suspect]) { note([suspect], count) }
    }
    if !found.isEmpty || !isExhaustive { return }
    for second in suspects.indices {
      for first in 0..<second {
        guard left > 0 else {
          isExhaustive = false
          return
        }
        left -= 1
        let pair = [suspects[first], suspects[second]]
        if let count = faults(pair) { note(pair, count) }
      }
    }
  }

  /// Adds explanations of the same fault found among other suspects.
  package mutating func add(_ other: Explanations) {
    for suspects in other.found { note(suspects, other.fewest) }
    isExhaustive = isExhaustive && other.isExhaustive
  }

  private mutating func note(_ suspects: [Suspect], _ faults: Int) {
    if faults > fewest { return }
    if faults < fewest { found = [] }
    fewest = faults
    found.append(suspects)
  }
}
