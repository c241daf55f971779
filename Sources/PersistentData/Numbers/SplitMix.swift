/// Random numbers that are the same for the same seed, always: SplitMix64. For metadata that is
/// made up.
package struct SplitMix: Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// `limit` is not 0; one that is small beside 2^64 makes no number likelier than another.
  package mutating func number(below limit: UInt64) -> UInt64 {
    next().multipliedFullWidth(by: limit).high
  }

  /// `count` distinct numbers; no more than there are.
  package mutating func choose(_ count: UInt64, below limit: UInt64) -> Set<UInt64> {
    var chosen: Set<UInt64> = []
    // Floyd's way: one draw for each, however many there are to choose from.
    for last in limit - count..<limit where !chosen.insert(number(below: last + 1)).inserted {
      chosen.insert(last)
    }
    return chosen
  }
}

/// Chooses so many of a row of candidates, at random, one after the other; none is likelier than
/// another.
package struct Sampling: Sendable {
  package private(set) var wanted: UInt64
  private var left: UInt64

  /// `wanted`: no more than there are candidates.
  package init(_ wanted: UInt64, of candidates: UInt64) {
    self.wanted = wanted
    left = candidates
  }

  /// Whether the next candidate is chosen.
  package mutating func chooses(_ random: inout SplitMix) -> Bool {
    guard left > 0 else { return false }
    let isChosen = random.number(below: left) < wanted
    left -= 1
    if isChosen { wanted -= 1 }
    return isChosen
  }
}
