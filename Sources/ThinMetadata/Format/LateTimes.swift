/// What stands in the place of times that are later than the pool's, and so can't be true.
///
/// All mappings of a data block were made at one time, so that of another one is right. Where there
/// is none, the earliest time is safe: the kernel takes the block for shared and copies it before
/// it writes to it.
package struct LateTimes: Sendable {
  /// Of more data blocks than about this nobody looks for the time; theirs are the earliest.
  static let maxBlocks = 1 << 16

  private var known: [UInt64: UInt32] = [:]

  package init() {}

  /// Notes the time that a sound mapping of a data block has.
  mutating func note(_ time: UInt32, of dataBlock: UInt64) {
    // A lower time is never the less safe one.
    known[dataBlock] = min(known[dataBlock] ?? time, time)
  }

  mutating func merge(_ other: LateTimes) {
    for (block, time) in other.known { note(time, of: block) }
  }

  /// A mapping whose time is too late, as it is taken to be.
  func corrected(_ mapping: Mapping) -> Mapping {
    Mapping(dataBlock: mapping.dataBlock, time: known[mapping.dataBlock, default: 0])
  }
}
