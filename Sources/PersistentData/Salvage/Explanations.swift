/// The smallest sets of suspects that, assumed to lie, leave nothing unexplained: those with the
/// fewest faults, blocks that are damaged anyhow among them.
///
/// Counts that contradict each other don't say which block lies. So every suspect is assumed to,
/// alone, and what then remains is judged; where none explains it, two of them are. Of several
/// explanations of one size each may be the true one.
package struct Explanations<Suspect: Hashable & Sendable>: Sendable {
  package private(set) var found: [[Suspect]] = []
  /// Whether as many suspects were tried as there are, alone or in pairs.
  package private(set) var isExhaustive = true

  /// Of the explanations found: how many faults there are then.
  package private(set) var fewest = Int.max

  /// `suspects`: the strongest first. `limit`: assumptions that may be judged, each of which can
  /// cost as much as reading the pool anew. `faults`: how many there are, if all these lie; `nil`
  /// where something is left unexplained.
  /// `inPairsOnly`: that one alone lies has been looked at.
  package init<Failure: Error>(
    of suspects: [Suspect], atMost limit: Int, inPairsOnly: Bool = false,
    faults: ([Suspect]) throws(Failure) -> Int?
  ) throws(Failure) {
    var left = limit
    for suspect in inPairsOnly ? [] : suspects {
      guard left > 0 else {
        isExhaustive = false
        break
      }
      left -= 1
      if let count = try faults([suspect]) { note([suspect], count) }
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
        if let count = try faults(pair) { note(pair, count) }
      }
    }
  }

  /// Takes in explanations of the same, found among others.
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
