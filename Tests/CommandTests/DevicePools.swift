import Foundation
import TestSupport

/// The devices of a pool, or of its metadata snapshot, mapping by mapping: what the tools that look
/// at a pool are held against.
struct DevicePools {
  /// What makes a tool look at these devices.
  let options: [String]
  let mappings: [UInt64: [PoolText.Mapping]]

  /// Those of the live pool, then those of the metadata snapshot, if there is one.
  static func all(_ image: String) throws -> [DevicePools] {
    let live = DevicePools(
      options: [], mappings: PoolText(try Program.dump(image).output).mappings)
    let held = try Program.dump("-q", "-m", image)
    return held.status == 0
      ? [live, DevicePools(options: ["-m"], mappings: PoolText(held.output).mappings)] : [live]
  }

  var ids: [UInt64] { mappings.keys.sorted() }

  /// The devices that map each data block.
  var users: [UInt64: Set<UInt64>] {
    var users: [UInt64: Set<UInt64>] = [:]
    for (id, mappings) in mappings {
      for mapping in mappings { users[mapping.data, default: []].insert(id) }
    }
    return users
  }

  /// How many blocks come free when devices are deleted: while `held` is, and when it is released.
  func freed(_ ids: [UInt64], held: DevicePools?) -> (now: Int, later: Int) {
    let deleted = Set(ids)
    let free = users.filter { $0.value.isSubset(of: deleted) }.keys
    let kept = held.map { Set($0.users.keys) } ?? []
    return (free.count { !kept.contains($0) }, free.count)
  }
}
