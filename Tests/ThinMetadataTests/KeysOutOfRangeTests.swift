import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// What comes back of a mapping tree whose internal nodes have keys that their parents don't allow.
@Suite struct KeysOutOfRangeTests {
  private let image: MetadataImage

  init() throws { image = try MetadataImage(kernel: "thin/three-levels") }

  /// A node of three levels' middle, with the bounds that the device's root sets.
  private struct Middle {
    let device: UInt64
    let root: ImageNode
    /// Its index in the root.
    let place: Int
    let node: ImageNode

    var first: UInt64 { root.keys[place] }
    /// The first key of the node behind.
    var end: UInt64 { place + 1 < root.keys.count ? root.keys[place + 1] : .max }
  }

  private var middles: [Middle] {
    image.devices.flatMap { device -> [Middle] in
      let root = image.node(device.root)
      if root.isLeaf { return [] }
      return root.values.enumerated().map { place, block in
        Middle(device: device.id, root: root, place: place, node: image.node(block))
      }
    }
  }

  /// The first entries of middle nodes whose leaf no other device has.
  private func ownEntry(_ isWanted: (Middle, Int) -> Bool) throws -> (middle: Middle, entry: Int) {
    var uses: [UInt64: Int] = [:]
    for middle in middles {
      for leaf in middle.node.values { uses[leaf, default: 0] += 1 }
    }
    for middle in middles {
      let entries = middle.node.values.indices
      if let entry = entries.first(where: {
        uses[middle.node.values[$0]] == 1 && isWanted(middle, $0)
      }) {
        return (middle, entry)
      }
    }
    throw TestFailure("no such entry")
  }

  private func isWhole(_ device: UInt64, _ rescue: Rescue) -> Bool {
    rescue.salvage.results.contains { $0.id == device && $0.isWhole }
  }

  private struct TestFailure: Error {
    let text: String
    init(_ text: String) { self.text = text }
  }

  /// Repairs; the device has to have all that can be looked up in its tree and nothing else, the
  /// others nothing wrong. What is missing has to be reported.
  private func expectRescue(
    of damaged: MetadataImage, device changed: UInt64, othersWhole: Bool,
    findsMisfits: Bool = true, _ place: Comment
  ) throws {
    let rescue = try Rescue(damaged)
    try rescue.expectSound(place)
    if isWhole(changed, rescue) {
      // The nodes below told what the keys had been.
      for (device, before) in image.mappings {
        let kept = rescue.output.mappings[device, default: [:]]
        #expect(kept == before, "\(place), device \(device)")
      }
      return
    }
    // A key may fall into a gap between what its neighbours have.
    let isFound = (rescue.salvage.reader.findings.counts[.keyOutOfRange] ?? 0) > 0
    #expect(isFound || !findsMisfits, place)
    let (before, after) = (image.mappings, rescue.output.mappings)
    for device in image.devices.map(\.id) {
      let kept = after[device, default: [:]]
      if device == changed {
        let reachable = damaged.reachableMappings(below: damaged.root(of: device))
        #expect(Set(kept.keys) == Set(reachable.keys), "\(place), device \(device)")
        #expect(isTrue(kept, to: reachable), "\(place), device \(device)")
      } else {
        #expect(isTrue(kept, to: before[device, default: [:]]), "\(place), device \(device)")
        #expect(!othersWhole || kept.count == before[device]?.count, "\(place), device \(device)")
      }
      let lost = rescue.salvage.results.first { $0.id == device }?.lost ?? []
      let missing = Set(before[device, default: [:]].keys).subtracting(kept.keys)
      #expect(
        missing.allSatisfy { key in lost.contains { $0.contains(key) } },
        "\(place), device \(device)")
    }
    // What a check says is in danger is no less.
    let told = try damaged.check().damage.map(\.device)
    #expect(
      told == rescue.salvage.results.filter { !$0.lost.isEmpty }.map(\.id), place)
  }

  /// The leaf's keys follow those of the node behind: written in the order of the tree they would
  /// not ascend.
  @Test func `what lies beyond the next node's first key is left out, and the rest comes back`()
    throws
  {
    let (middle, entry) = try ownEntry { $0.place == 0 && $1 > $0.node.keys.count - 4 }
    let shift = middle.end + 1000 - middle.node.keys[entry]
    var damaged = image
    damaged.setKeys(of: middle.node) { index, key in index < entry ? key : key + shift }
    damaged.setKeys(of: image.node(middle.node.values[entry])) { $1 + shift }
    try expectRescue(of: damaged, device: middle.device, othersWhole: true, "")
  }

  @Test func `what lies before the node's first key is left out, and the rest comes back`() throws {
    let (middle, entry) = try ownEntry { $0.place == 1 && $1 > 1 && $1 < 10 }
    let shift = middle.node.keys[entry] - UInt64(1000 + entry)
    var damaged = image
    damaged.setKeys(of: middle.node) { index, key in
      index > entry ? key : UInt64(1000 + index)
    }
    damaged.setKeys(of: image.node(middle.node.values[entry])) { $1 - shift }
    try expectRescue(of: damaged, device: middle.device, othersWhole: true, "")
  }

  /// Two parents in one tree allow different keys, so together none: one of them lies, and the
  /// counts tell what it should lead to.
  @Test func `a node that stands in two places costs nothing where the other can be told`()
    throws
  {
    let middle = try #require(middles.first { $0.place == 1 })
    var damaged = image
    damaged.set(
      middle.root.block, as: .btreeNode, middle.root.value(1), to: middle.root.values[0])
    let rescue = try Rescue(damaged)
    try rescue.expectSound("")
    for (device, before) in image.mappings {
      #expect(rescue.output.mappings[device, default: [:]] == before, "device \(device)")
    }
    #expect(isWhole(middle.device, rescue))
  }

  /// It is the parent that is wrong here: what is missing lies in the range of a sound sibling.
  @Test func `a key that rose or fell in a parent costs what it leads past, and that is said`()
    throws
  {
    var random = SeededRandom()
    let middles = middles.filter { $0.node.keys.count > 8 }
    for round in 0..<16 {
      let middle = try #require(middles.randomElement(using: &random))
      // Of the root, or of a node in the middle.
      let parent = random.once(in: 2) ? middle.root : middle.node
      if parent.keys.count < 3 { continue }
      let changed = random.number(1..<parent.keys.count - 1)
      let (before, after) = (parent.keys[changed - 1], parent.keys[changed + 1])
      if after - before < 3 { continue }
      var damaged = image
      let key = random.number(before + 1..<after)
      let seed = random.seed
      damaged.setKeys(of: parent) { index, old in index == changed ? key : old }
      try expectRescue(
        of: damaged, device: middle.device, othersWhole: false, findsMisfits: false,
        "round \(round), device \(middle.device), block \(parent.block), key \(changed), \(seed)")
    }
  }

  @Test func `whatever the keys of an internal node are, what can be looked up comes back`() throws
  {
    var random = SeededRandom()
    let middles = middles
    for round in 0..<16 {
      let middle = try #require(middles.randomElement(using: &random))
      let count = middle.node.keys.count
      let changes = random.number(1...8)
      var damaged = image
      if middle.place > 0, random.once(in: 2) {
        let lowest = middle.first - random.number(100...middle.first)
        damaged.setKeys(of: middle.node) { index, key in
          index < changes ? lowest + UInt64(index) : key
        }
      } else if middle.place + 1 < middle.root.keys.count {
        let lowest = middle.end + random.number(0...100_000)
        damaged.setKeys(of: middle.node) { index, key in
          index + changes >= count ? lowest + UInt64(index) : key
        }
      } else {
        continue
      }
      try expectRescue(
        of: damaged, device: middle.device, othersWhole: false,
        "round \(round), device \(middle.device), block \(middle.node.block), seed \(random.seed)")
    }
  }
}

extension MetadataImage {
  /// Gives a node other keys, by index and key.
  fileprivate mutating func setKeys(of node: ImageNode, _ change: (Int, UInt64) -> UInt64) {
    edit(node.block, as: .btreeNode) { bytes in
      for (index, key) in node.keys.enumerated() { bytes[node.key(index)] = change(index, key) }
    }
  }

  /// The mappings that a kernel finds: at each level it goes on with the last entry whose key is
  /// not above the one it looks for.
  fileprivate func reachableMappings(
    below block: UInt64, first: UInt64 = 0, last: UInt64 = .max
  ) -> [UInt64: Mapping] {
    let node = node(block)
    var found: [UInt64: Mapping] = [:]
    for (index, (key, value)) in zip(node.keys, node.values).enumerated() {
      if node.isLeaf {
        if key >= first, key <= last { found[key] = Mapping(value) }
        continue
      }
      let end = index + 1 < node.keys.count ? node.keys[index + 1] - 1 : .max
      if max(key, first) > min(end, last) { continue }
      found.merge(
        reachableMappings(below: value, first: max(key, first), last: min(end, last))
      ) { old, _ in old }
    }
    return found
  }
}
