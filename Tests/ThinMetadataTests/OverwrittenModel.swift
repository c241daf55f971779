import PersistentData
import ThinMetadata

/// Whose data is gone, or may be: read mapping by mapping, without the program's help.
struct OverwrittenModel {
  struct Device: Equatable {
    /// Virtual blocks.
    var certain: Set<UInt64> = []
    var possible: Set<UInt64> = []
  }

  /// A virtual block, and when it was mapped.
  private struct Way: Hashable {
    let virtual: UInt64
    let time: UInt32
  }

  private(set) var devices: [UInt64: Device] = [:]
  /// Whether exactly one data block has a reference too many, and others are short of some; or two
  /// have, and just as many references are missing.
  let mayHaveWrongEntry: Bool
  /// Whether as many references are missing as there are too many, or more, and some data block
  /// that has too many was given out once: a leaf that lies says as much as counts that are too
  /// low in a pool with leaks.
  let mayHaveWrongLeaf: Bool
  /// Whether anything but these mappings tells that something is wrong: counts, or times with
  /// which a kernel would write in place to what is shared.
  let hasSigns: Bool

  init(_ image: MetadataImage) {
    var ways: [UInt64: Set<Way>] = [:]
    for mappings in [image.mappings, image.heldMappings].flatMap(\.values) {
      for (virtual, mapping) in mappings {
        ways[mapping.dataBlock, default: []].insert(Way(virtual: virtual, time: mapping.time))
      }
    }
    let differences = OverwrittenModel.differences(image)
    let tooMany = differences.values.filter { $0 < 0 }
    let missing = differences.values.filter { $0 > 0 }.reduce(0, +)
    // A few may be wrong mappings as well, if as many blocks are no longer mapped.
    let disputed = ways.values.count { $0.count > 1 }
    let areDoubtful = disputed <= 2 && missing >= disputed
    let map = image.dataMap
    for (id, mappings) in image.mappings {
      var device = Device()
      for (virtual, mapping) in mappings {
        let all = ways[mapping.dataBlock, default: []]
        let latest = all.map(\.time).max() ?? 0
        if areDoubtful, all.count > 1 {
          device.possible.insert(virtual)
        } else if mapping.time < latest {
          device.certain.insert(virtual)
        } else if all.count(where: { $0.time == latest }) > 1
          || image.count(Int(mapping.dataBlock), in: map) == 0
        {
          device.possible.insert(virtual)
        }
      }
      if device != Device() { devices[id] = device }
    }
    mayHaveWrongEntry =
      missing > 0 && (tooMany.count == 1 || tooMany.count == 2 && missing == -tooMany.reduce(0, +))
    mayHaveWrongLeaf =
      missing > 0 && missing >= -tooMany.reduce(0, +)
      && differences.contains { $0.value < 0 && ways[$0.key]?.count == 1 }
    hasSigns =
      !differences.isEmpty
      || !SharingModel(image).lowestSnapshottedTimes.isEmpty
  }

  /// Counts stored less those found, where these differ, by data block.
  static func differences(_ image: MetadataImage) -> [UInt64: Int] {
    var leaves: [UInt64: [UInt64]] = [:]
    for (_, root) in image.devices + image.heldDevices {
      for leaf in image.leaves(below: root) { leaves[leaf.block] = leaf.values }
    }
    var counts: [Int: Int] = [:]
    for value in leaves.values.joined() {
      counts[Int(Mapping(value).dataBlock), default: 0] += 1
    }
    let map = image.dataMap
    let large = image.largeCounts(map)
    return (0..<Int(map.root.blockCount)).reduce(into: [:]) { differences, block in
      let stored = large[block] ?? image.count(block, in: map)
      let found = counts[block, default: 0]
      if stored != found { differences[UInt64(block)] = stored - found }
    }
  }
}
