/// Replacements for times that are later than the pool's, and so can't be true.
///
/// All mappings of a data block have one time, so that of another one is right. Where there is
/// none, the earliest time is safe: the kernel takes the block for shared and copies it before it
/// writes to it.
package struct LateTimes: Sendable {
  /// About the most data blocks whose times are looked for; those of others become the earliest.
  static let maxBlocks = 1 << 16

  private var known: [UInt64: UInt32] = [:]

  package init() {}

  /// Notes the time that a sound mapping of a data block has.
  mutating func note(_ time: UInt32, of dataBlock: UInt64) {
    // The lower time is always the safe one.
    known[dataBlock] = min(known[dataBlock] ?? time, time)
  }

  mutating func merge(_ other: LateTimes) {
    for (block, time) in other.known { note(time, of: block) }
  }

  /// A mapping whose time is too late, with the replacement.
  func corrected(_ mapping: Mapping) -> Mapping {
    Mapping(dataBlock: mapping.dataBlock, time: known[mapping.dataBlock, default: 0])
  }
}
