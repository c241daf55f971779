/// What a check learns about each metadata block: who uses it, and how often it is referred to.
///
/// A check ends by comparing the metadata space map with it: every allocated block was visited, or
/// a finding says why not.
package struct BlockUsage {
  /// Blocks on the device.
  package let blockCount: UInt64
  /// References counted: one for each pointer in a distinct block.
  package let references: RefCounts
  /// The user of each block, as an index into `users` plus one; 0 if not visited.
  private var uses: BlockTable<UInt8>
  private var users: [String] = []
  /// The number of blocks visited.
  package private(set) var claimedCount: UInt64 = 0

  package init(blockCount: UInt64) {
    self.blockCount = blockCount
    references = RefCounts(count: blockCount)
    uses = BlockTable(count: blockCount)
  }

  /// Notes that `user` visits `block`; returns the earlier user, if any.
  package mutating func claim(_ block: MetadataBlock, for user: String) -> String? {
    let earlier = uses[block.index]
    if earlier > 0 { return users[Int(earlier) - 1] }
    claimedCount += 1
    // Users rarely alternate, so it is nearly always the last one.
    if users.last == user {
      uses[block.index] = UInt8(users.count)
    } else if let index = users.firstIndex(of: user) {
      uses[block.index] = UInt8(index + 1)
    } else {
      users.append(user)
      uses[block.index] = UInt8(users.count)
    }
    return nil
  }

  /// Takes back the claim of a user that could not use the block.
  package mutating func release(_ block: MetadataBlock) { uses[block.index] = 0 }

  /// Who visited `block`, if anyone.
  package func user(of block: MetadataBlock) -> String? {
    let use = uses[block.index]
    return use > 0 ? users[Int(use) - 1] : nil
  }

  /// The same claims, with no references counted: for a caller that visits more blocks and counts
  /// for itself.
  package var withNothingCounted: BlockUsage {
    var copy = BlockUsage(blockCount: blockCount)
    copy.uses = uses
    copy.users = users
    return copy
  }

  package func isClaimed(_ block: MetadataBlock) -> Bool { uses[block.index] > 0 }
}
