import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// What trees have in common, held against a plain walk of each of them.
@Suite struct LeafSharingTests {
  @Test(arguments: TestFiles.fixtureNames("kernel/thin"))
  func `parts make up each device's leaves, in order`(name: String) throws {
    let image = try MetadataImage(kernel: "thin/\(name)")
    try check(image, roots: image.devices.map(\.root), "\(name)")
    // Some of the trees only: what is shared with the others does not count.
    var random = SeededRandom()
    let some = image.devices.map(\.root).filter { _ in random.once(in: 2) }
    try check(image, roots: some, "\(name), seed \(random.seed), \(some.count) devices")
  }

  @Test func `a tree that two devices have is shared as a whole`() throws {
    let image = try MetadataImage(kernel: DamageCase.plain)
    let root = image.devices[0].root
    try check(image, roots: [root, root], "")
  }

  @Test func `in pools made up at random runs are as long as they can be`() throws {
    var random = SeededRandom()
    var runs = 0
    for round in 0..<60 {
      let pool = RandomPool(&random, largeSegments: round == 0 ? 2 : 0)
      let scratch = try Scratch()
      let path = try scratch.blank("pool", bytes: 4000 * MetadataBlock.size)
      var restorer = try Restorer(BlockFile(path, .write))
      try pool.play(into: &restorer)
      let image = try MetadataImage(file: path)
      runs += try check(
        image, roots: image.devices.map(\.root), "seed \(random.seed), round \(round)")
    }
    // Usually there are some 125.
    #expect(runs > 0, "seed \(random.seed)")
  }

  /// Returns how many runs there are.
  @discardableResult
  private func check(
    _ image: MetadataImage, roots: [UInt64], _ place: Comment
  ) throws -> Int {
    let scratch = try Scratch()
    let reader = try PoolReader.open(image.open(scratch), choosing: RootChoice())
    let sharing = LeafSharing(
      reader.mappings, roots: roots.map { MetadataBlock(UInt32($0)) },
      blockCount: UInt64(image.blockCount))

    let trees = roots.map { image.leaves(below: $0).map(\.block) }
    var users: [UInt64: Int] = [:]
    var neighbours: [UInt64: Set<UInt64>] = [:]
    var before: [UInt64: Set<UInt64>] = [:]
    for leaves in trees {
      for leaf in leaves { users[leaf, default: 0] += 1 }
      // 0 stands for the end of a tree.
      for (left, right) in zip([0] + leaves, leaves + [0]) {
        neighbours[left, default: []].insert(right)
        before[right, default: []].insert(left)
      }
    }
    func isJoined(_ left: UInt64, _ right: UInt64) -> Bool {
      neighbours[left] == [right] && before[right] == [left] && users[left, default: 0] > 1
        && users[right, default: 0] > 1
    }
    var runs: Set<UInt64> = []
    for (root, leaves) in zip(roots, trees) {
      var parts: [[UInt64]] = []
      sharing.forEachPart(below: MetadataBlock(UInt32(root))) { part in
        switch part {
        case .leaf(let leaf):
          #expect(users[UInt64(leaf.number)] == 1, place)
          parts.append([UInt64(leaf.number)])
        case .run(let first):
          runs.insert(UInt64(first.number))
          let run = sharing.leaves(ofRun: first).map { UInt64($0.number) }
          #expect(run.allSatisfy { users[$0, default: 0] > 1 }, place)
          #expect(zip(run, run.dropFirst()).allSatisfy(isJoined), place)
          parts.append(run)
        }
      }
      #expect(parts.flatMap(\.self) == leaves, place)
      for (left, right) in zip(parts, parts.dropFirst()) {
        #expect(!isJoined(left[left.count - 1], right[0]), place)
      }
    }
    return runs.count
  }
}
