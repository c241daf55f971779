internal import PersistentData

/// The time that a repaired pool gets.
///
/// Kernels raise the pool's time with each snapshot, and nothing else is ever newer. A newer time
/// is damaged, unless the pool's own is. Too high a pool time may leave no room for the next
/// snapshot, whose time would overflow into data block numbers; so no single time raises it.
struct PoolTime {
  /// If they are later by more than this, even two times don't show that the pool's is too low.
  private static let farAhead: UInt32 = 256

  /// The superblock's time; `nil` where it can't be true.
  private let own: UInt32?
  /// What is taken as the pool's time; newer mappings have a damaged time.
  private(set) var limit: UInt32
  /// Whether times can be compared at all. Otherwise everything has to count as shared.
  private(set) var isTrusted = true

  /// `own`: as the superblock has it; `nil` when that is lost.
  init(_ own: UInt32?) {
    // At the highest time there is no room for a snapshot, so others have to bear it out.
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
