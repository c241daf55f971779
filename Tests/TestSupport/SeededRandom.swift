import Foundation

/// Random numbers that a printed seed brings back: SplitMix64.
public struct SeededRandom: RandomNumberGenerator {
  /// What to print when a test fails; SEED in the environment has it fail again.
  public let seed: UInt64
  private var state: UInt64

  public init(seed: UInt64? = nil) {
    let wanted = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) }
    self.seed = seed ?? wanted ?? .random(in: 0 ... .max)
    state = self.seed
  }

  /// The same numbers each time, unless SEED in the environment asks for others: for what is not
  /// right for every seed yet.
  public init(usually seed: UInt64) {
    let wanted = ProcessInfo.processInfo.environment["SEED"].flatMap { UInt64($0) }
    self.init(seed: wanted ?? seed)
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Whether something happens that happens once in `interval` times.
  public mutating func once(in interval: UInt64) -> Bool { next() % interval == 0 }

  public mutating func number<Number: FixedWidthInteger>(_ range: Range<Number>) -> Number {
    .random(in: range, using: &self)
  }

  public mutating func number<Number: FixedWidthInteger>(_ range: ClosedRange<Number>) -> Number {
    .random(in: range, using: &self)
  }
}
