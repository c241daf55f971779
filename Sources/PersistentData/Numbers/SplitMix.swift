/// Random numbers that are always the same for the same seed: SplitMix64. For generated metadata.
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

  /// A number below `limit`, which isn't 0; uniform if `limit` is small compared with 2^64.
  package mutating func number(below limit: UInt64) -> UInt64 {
    next().multipliedFullWidth(by: limit).high
  }

  /// `count` distinct numbers below `limit`; `count` is at most `limit`.
  package mutating func choose(_ count: UInt64, below limit: UInt64) -> Set<UInt64> {
    var chosen: Set<UInt64> = []
    // Floyd's algorithm: one draw for each, however many there are to choose from.
    for last in limit - count..<limit where !chosen.insert(number(below: last + 1)).inserted {
      chosen.insert(last)
    }
    return chosen
  }
}

/// Chooses a number of candidates at random, going through them one by one; all are equally likely.
package struct Sampling: Sendable {
  package private(set) var wanted: UInt64
  private var left: UInt64

  /// `wanted`: at most the number of candidates.
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
