import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// What comes back when several internal nodes of mapping trees are lost at once.
@Suite struct LostNodeTests {
  /// Damages blocks and repairs; whatever comes back has to be as it was, and whatever does not
  /// has to be reported. Returns the mappings that are gone.
  private func lose(
    _ lost: Set<UInt64>, of image: MetadataImage, _ place: Comment
  ) throws -> [UInt64: Set<UInt64>] {
    var damaged = image
    for block in lost { damaged.zero(block) }
    let rescue = try Rescue(damaged)
    try rescue.expectSound(place)
    var gone: [UInt64: Set<UInt64>] = [:]
    for (device, before) in image.mappings {
      let after = rescue.output.mappings[device, default: [:]]
      #expect(isTrue(after, to: before), "\(place), device \(device)")
      let missing = Set(before.keys).subtracting(after.keys)
      if missing.isEmpty { continue }
      gone[device] = missing
      let result = try #require(rescue.salvage.results.first { $0.id == device })
      #expect(
        missing.allSatisfy { key in result.lost.contains { $0.contains(key) } },
        "\(place), device \(device)")
    }
    return gone
  }

  private func roots(_ image: MetadataImage) -> [UInt64] {
    Set(image.devices.map(\.root)).filter { !image.node($0).isLeaf }.sorted()
  }

  /// Each device says how many mappings it has: that tells which leaves are whose.
  @Test(arguments: ["ext4", "discard-crash", "reuse-ext4", "resized"])
  func `with all roots lost everything comes back`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let roots = Set(roots(image))
    try #require(!roots.isEmpty)
    #expect(try lose(roots, of: image, "\(name)") == [:])
  }

  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `several internal nodes at once bring nothing wrong back`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    let nodes = Set(
      (image.devices + image.heldDevices).flatMap { image.internalNodes(below: $0.root) }
        .map(\.block))
    if nodes.isEmpty { return }
    var random = SeededRandom()
    for count in [2, 3, 3, 5] {
      let lost = Set(nodes.sorted().shuffled(using: &random).prefix(count))
      _ = try lose(lost, of: image, "\(name), blocks \(lost.sorted()), seed \(random.seed)")
    }
  }

  /// What only a lost node led to, and a lost leaf with it.
  @Test(arguments: ["ext4", "power-cut", "snapshots", "three-levels"])
  func `internal nodes and a leaf at once bring nothing wrong back`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    var random = SeededRandom()
    for _ in 0..<4 {
      let lost =
        roots(image).shuffled(using: &random).prefix(2)
        + image.devices.shuffled(using: &random).prefix(1).flatMap { device in
          image.leaves(below: device.root).shuffled(using: &random).prefix(1).map(\.block)
        }
      _ = try lose(Set(lost), of: image, "\(name), blocks \(lost), seed \(random.seed)")
    }
  }

  /// Two devices of one size, whose trees differ in a leaf each: nobody knows which leaf is
  /// whose, but what is in both is both's.
  @Test func `what cannot be told apart comes back as far as it is the same`() throws {
    let image = try MetadataImage(kernel: "thin/snapshots")
    let twins = image.devices.filter { image.details($0.id).mappedBlocks == 500 }
    try #require(twins.count == 2)
    let gone = try lose(Set(twins.map(\.root)), of: image, "")
    let (first, second) = (
      image.mappings(below: twins[0].root), image.mappings(below: twins[1].root)
    )
    let differing = Set(first.keys.filter { first[$0] != second[$0] })
    try #require(!differing.isEmpty)
    #expect(gone == [twins[0].id: differing, twins[1].id: differing])
  }

  /// The leaves hang on nodes that only the lost root led to.
  @Test func `with a root and a node below it lost everything comes back`() throws {
    let image = try MetadataImage(kernel: "thin/three-levels")
    var random = SeededRandom()
    for device in image.devices.shuffled(using: &random).prefix(3) {
      let nodes = image.internalNodes(below: device.root)
      guard nodes.count > 1 else { continue }
      let lost = Set(
        [device.root] + nodes.dropFirst().shuffled(using: &random).prefix(1).map(\.block))
      let place: Comment = "blocks \(lost.sorted()), seed \(random.seed)"
      #expect(try lose(lost, of: image, place) == [:], place)
    }
  }
}
