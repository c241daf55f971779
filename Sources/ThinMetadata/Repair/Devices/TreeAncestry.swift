internal import PersistentData

/// Finds the device whose older trees a tree in use descends from.
///
/// A kernel that changes a tree copies the nodes on the path and keeps the others. So a device's
/// tree still has branches of its older trees. Some are shared with snapshots: only those count
/// that no other device's older trees had at the same place.
struct TreeAncestry {
  /// A child of an internal node, with the key under which it stands.
  private struct Branch: Hashable {
    let key: UInt64
    let child: MetadataBlock
  }

  /// The most devices, or trees, that are compared.
  private static let maxRivals = 64
  /// The most nodes that are looked at for each device or tree.
  private static let maxNodes = 1 << 14
  /// Branches that make a match, and how many times as many as any rival's: a reused block can
  /// stand at the same place by chance, but not that often.
  private static let clearCount = 8

  private let oldRoots: [UInt64: Set<MetadataBlock>]
  private let census: BlockCensus

  /// `oldRoots`: which trees each device had in superseded lists of devices.
  init(_ oldRoots: [UInt64: Set<MetadataBlock>], _ census: BlockCensus) {
    self.oldRoots = oldRoots
    self.census = census
  }

  /// Pairs (by index) of devices and trees that descend from that device's trees and no other's.
  func matches(_ devices: [UInt64], _ trees: [MetadataBlock]) -> [(device: Int, tree: Int)] {
    guard devices.count + trees.count > 2, devices.count <= TreeAncestry.maxRivals,
      trees.count <= TreeAncestry.maxRivals
    else { return [] }
    let old = devices.map { branches(below: oldRoots[$0, default: []]) }
    let owners = old.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
    let own = old.map { branches in branches.filter { owners[$0] == 1 } }
    let current = trees.map { branches(below: [$0]) }
    // How many branches of each tree only this device had.
    let shared = own.map { own in current.map { $0.intersection(own).count } }
    return devices.indices.flatMap { device in
      trees.indices.compactMap { tree in
        let rivals =
          devices.indices.filter { $0 != device }.map { shared[$0][tree] }
          + trees.indices.filter { $0 != tree }.map { shared[device][$0] }
        let isClear = shared[device][tree] >= TreeAncestry.clearCount * max(1, rivals.max() ?? 0)
        return isClear ? (device, tree) : nil
      }
    }
  }

  private func branches(below roots: Set<MetadataBlock>) -> Set<Branch> {
    var branches: Set<Branch> = []
    var seen = roots
    var open = roots.sorted()
    while let block = open.popLast(), seen.count < TreeAncestry.maxNodes {
      guard census.nodes[block]?.isLeaf == false else { continue }
      for pointer in census.pointers[block, default: []] {
        guard let child = pointer.child else { continue }
        branches.insert(Branch(key: pointer.key, child: child))
        if seen.insert(child).inserted { open.append(child) }
      }
    }
    return branches
  }
}
