internal import PersistentData

/// The time that a repaired pool gets.
///
/// Kernels raise the pool's time with each snapshot, and nothing else is ever newer. A time that is
/// has been damaged, unless the pool's own has. A pool's time that is too high may leave no room
/// for the next snapshot, and its number would go into data block numbers; so no time that stands
/// alone raises it.
struct PoolTime {
  /// Later by more than this, even two times don't show that the pool's is too low.
  private static let farAhead: UInt32 = 256

  /// The superblock's; `nil` where it has none that can be true.
  private let own: UInt32?
  /// What the pool is taken to be at; mappings that are newer have a damaged time.
  private(set) var limit: UInt32
  /// Whether times can be compared at all. Otherwise everything has to count as shared.
  private(set) var isTrusted = true

  /// `own`: as the superblock has it; `nil` when that is lost.
  init(_ own: UInt32?) {
    // At the last time of all there is no room for a snapshot. The pool may be there all the same.
    self.own = own.flatMap { $0 < Mapping.timeMaximum ? $0 : nil }
    limit = self.own ?? .max
  }

  /// Decides from the latest times of mappings and devices. Returns whether mappings have to be
  /// read again, as some are beyond the limit now or no longer are.
  mutating func settle(_ times: LatestTimes) -> Bool {
    guard let own else {
      limit = times.borneOut
      return times.latest > limit
    }
    guard times.second > own else { return false }
    if times.second - own > PoolTime.farAhead {
      isTrusted = false
      return false
    }
    limit = times.second
    return true
  }
}
