import Foundation
import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// One thing broken in a sound image made by a kernel, and what the check has to say of it.
struct DamageCase: Sendable, CustomTestStringConvertible {
  let rule: Rule
  /// What was broken, as a test's name goes on.
  let name: String
  let image: String
  /// What else the damage entails, seen from the rest of the metadata.
  let consequences: Set<Rule>
  /// Breaks it, and returns where the finding has to be.
  let damage: @Sendable (inout MetadataImage) throws -> Site

  /// Two devices, one with a tree of two levels; they share nothing.
  static let plain = "thin/resized"
  /// Snapshots: data blocks that two leaves lead to.
  static let snapshots = "thin/just-deleted"
  /// More snapshots: nodes with two parents.
  static let manySnapshots = "thin/snapshots-of-snapshots"

  init(
    _ rule: Rule, _ name: String, of image: String = plain, entails consequences: Set<Rule> = [],
    _ damage: @escaping @Sendable (inout MetadataImage) throws -> Site
  ) {
    self.rule = rule
    self.name = name
    self.image = image
    self.consequences = consequences
    self.damage = damage
  }

  var testDescription: String { "\(rule.rawValue): \(name)" }

  static let all = blocksAndTrees + spaceMaps + superblocks + devices + notes
}

@Suite struct DamageTests {
  @Test(arguments: DamageCase.all)
  func `damage is reported once, where it is, as what it is`(damage: DamageCase) throws {
    var image = try MetadataImage(kernel: damage.image)
    let site = try damage.damage(&image)
    try expect(damage, at: site, in: try image.check())
    try mendIfPossible(image, damage)
  }

  /// Everything that the rule's severity says has to come true.
  private func expect(_ damage: DamageCase, at site: Site, in report: CheckReport) throws {
    let findings = report.findings.sorted
    let own = findings.filter { !damage.consequences.contains($0.rule) }
    #expect(own.map(\.rule) == [damage.rule], "\(findings)")
    #expect(own.map(\.site) == [site], "\(findings)")
    #expect(Set(report.findings.counts.keys) == damage.consequences.union([damage.rule]))
    let worst = damage.consequences.union([damage.rule]).map(\.severity).max()
    #expect(report.findings.worst == worst)
    #expect(findings.allSatisfy { $0.description.hasPrefix("\($0.rule.severity.name): ") })
  }

  /// What can be mended on the spot is gone once it was.
  private func mendIfPossible(_ image: MetadataImage, _ damage: DamageCase) throws {
    guard damage.rule.entry.isMendable else { return }
    let scratch = try Scratch()
    let file = try image.open(scratch, .write)
    let report = CheckReport(of: file, CheckScope())
    guard report.findings.worst != .error else { return }
    #expect(report.needsMending)
    try report.mend(file)
    let after = CheckReport(of: file, CheckScope())
    #expect(after.findings.isEmpty, "\(after.findings.sorted)")
  }

  /// Only a device, or a file that is cut while it is open, can't give a block up.
  @Test func `blockUnreadable: a leaf that can't be read is a finding and a hole`() throws {
    var image = try MetadataImage(kernel: DamageCase.plain)
    let place = try image.moveLeafToEnd()
    let scratch = try Scratch()
    let file = try image.open(scratch, name: "image")
    #expect(CheckReport(of: file, CheckScope()).findings.isEmpty)
    try scratch.cut("image", blocks: image.blockCount - 1)
    let report = CheckReport(of: file, CheckScope())
    let site = Site(
      "mapping tree", order: 4, device: place.device, block: UInt64(image.blockCount - 1))
    let found = report.findings.sorted.filter { $0.rule != .countsNotJudged }
    #expect(found.map(\.rule) == [.blockUnreadable])
    #expect(found.map(\.site) == [site])
    #expect(report.damage.map(\.device) == [place.device])
    #expect(report.damage.map(\.lost) == [[place.keys]])
  }

  @Test func `deviceBeyondKernelLimit: more blocks than a kernel can use are only noted`() throws {
    let image = try MetadataImage(kernel: DamageCase.plain)
    let scratch = try Scratch()
    let path = try scratch.file("image", Data(image.bytes))
    try scratch.cut("image", blocks: Int(MetadataBlock.maximumCount) + 1)
    let report = try CheckReport(of: BlockFile(path, .read), CheckScope())
    #expect(report.findings.sorted.map(\.rule) == [.deviceBeyondKernelLimit])
    #expect(report.findings.sorted.map(\.site) == [Site("superblock")])
    #expect(report.findings.worst == .note)
  }

  @Test func `a flipped bit is named, and is an error all the same`() throws {
    var image = try MetadataImage(kernel: DamageCase.plain)
    let place = try image.leafPlace
    image.damage(place.leaf.block) { $0[Field<UInt8>(at: 1000)] ^= 1 << 5 }
    let report = try image.check()
    let found = report.findings.sorted.filter { $0.rule != .countsNotJudged }
    #expect(found.map(\.rule) == [.blockBadChecksum])
    #expect(found.first?.found.words == "one flipped bit, bit 5 of byte 1000; repair turns it back")
    #expect(report.findings.worst == .error)
  }
}

/// A mapping leaf that is neither the first nor the last of its tree.
struct LeafPlace {
  let device: UInt64
  let parent: ImageNode
  /// The entry of the parent that leads to it.
  let entry: Int
  let leaf: ImageNode
  /// The keys that belong there.
  let keys: ClosedRange<UInt64>

  func site(entry: Int? = nil, keys: ClosedRange<UInt64>? = nil) -> Site {
    Site(
      "mapping tree", order: 4, device: device, block: leaf.block, entry: entry, keys: keys)
  }
}

struct NoSuchPlace: Error {}

extension MetadataImage {
  /// The second leaf of the first tree that has three and keeps them to itself.
  var leafPlace: LeafPlace {
    get throws {
      for (id, root) in devices {
        let parent = node(root)
        if parent.isLeaf || parent.keys.count < 3 { continue }
        let leaf = node(parent.values[1])
        guard leaf.isLeaf else { continue }
        return LeafPlace(
          device: id, parent: parent, entry: 1, leaf: leaf,
          keys: parent.keys[1]...parent.keys[2] - 1)
      }
      throw NoSuchPlace()
    }
  }

  /// Moves a leaf to the last block of the device, all pointers and counts kept right.
  mutating func moveLeafToEnd() throws -> LeafPlace {
    let place = try leafPlace
    let end = UInt64(blockCount - 1)
    copy(place.leaf.block, to: end)
    set(end, as: .btreeNode, BTreeNode.Layout.block, to: end)
    set(place.parent.block, as: .btreeNode, place.parent.value(place.entry), to: end)
    setCount(Int(place.leaf.block), to: 0, in: metadataMap)
    setCount(Int(end), to: 1, in: metadataMap)
    editIndex(0, of: metadataMap) { $0.noneFreeBefore = 0 }
    return place
  }

  /// A block that no count of the metadata space map is for.
  var freeBlock: UInt64 {
    let map = metadataMap
    return UInt64((1..<blockCount).first { count($0, in: map) == 0 } ?? 0)
  }
}

extension Scratch {
  /// Makes a file shorter or, without taking space, longer.
  func cut(_ name: String, blocks: Int) throws {
    let handle = try FileHandle(forWritingTo: folder.appendingPathComponent(name))
    try handle.truncate(atOffset: UInt64(blocks * MetadataBlock.size))
    try handle.close()
  }
}
