import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// The search for what all arrangements have in common, against trying them all.
@Suite struct ChildArrangementsTests {
  /// A few children and lost nodes, with one arrangement that is true.
  private struct Riddle {
    var children: [ChildArrangements.Child] = []
    var nodes: [ChildArrangements.LostNode] = []
    var lacks: [ChildArrangements.Lack] = []
    var hiddenNodes = 0

    init(_ random: inout SeededRandom) {
      let nodeCount = random.number(1...3)
      let deviceCount = random.number(1...3)
      hiddenNodes = random.once(in: 4) ? 1 : 0
      for _ in 0..<nodeCount {
        let first: UInt64 = random.number(0...3)
        let devices = (0..<deviceCount).filter { _ in random.once(in: 2) }
        nodes.append(
          ChildArrangements.LostNode(
            keys: first...random.number(first + 4...12),
            height: random.once(in: 2) ? random.number(1...2) : nil,
            devices: devices.isEmpty ? [random.number(0..<deviceCount)] : devices))
      }
      var mappings = (0..<deviceCount).map { _ in UInt64(0) }
      for _ in 0..<random.number(1...6) {
        let first: UInt64 = random.number(0...9)
        let places = nodes.indices.filter { _ in random.once(in: 2) }.prefix(2)
        let count = random.number(1...2) * UInt64(150)
        children.append(
          ChildArrangements.Child(
            keys: first...random.number(first...min(12, first + 3)),
            height: random.once(in: 4) ? 1 : 0, mappingCount: count,
            missing: max(1, places.count)))
        for place in places {
          for device in nodes[place].devices { mappings[device] += count }
        }
      }
      lacks = mappings.map { count in
        let lostLeaves = random.once(in: 5) ? 1 : 0
        return ChildArrangements.Lack(
          mappings: count + UInt64(lostLeaves * 100), lostLeaves: lostLeaves)
      }
    }

    /// All arrangements that keep to the rules: by child, the nodes it stands in.
    var solutions: [[Set<Int>]] {
      let choices = (0..<1 << nodes.count).map { bits in
        Set(nodes.indices.filter { bits & 1 << $0 != 0 })
      }
      let all = children.reduce([[]] as [[Set<Int>]]) { partial, child in
        partial.flatMap { some in
          choices.filter { $0.count == child.missing }.map { some + [$0] }
        }
      }
      return all.filter { arrangement in
        nodes.indices.allSatisfy { isPossible($0, arrangement) }
          && lacks.indices.allSatisfy { isFilled($0, arrangement) }
      }
    }

    private func isPossible(_ node: Int, _ arrangement: [Set<Int>]) -> Bool {
      let own = children.indices.filter { arrangement[$0].contains(node) }.map { children[$0] }
      let heights = Set(own.map(\.height))
      if hiddenNodes == 0, heights.count > 1 { return false }
      return own.indices.allSatisfy { index in
        let child = own[index]
        let isHigh = nodes[node].height.map {
          hiddenNodes == 0 ? child.height == $0 - 1 : child.height < $0
        }
        return isHigh ?? true && nodes[node].keys.contains(child.keys.lowerBound)
          && nodes[node].keys.contains(child.keys.upperBound)
          && !own[..<index].contains { $0.keys.overlaps(child.keys) }
      }
    }

    private func isFilled(_ device: Int, _ arrangement: [Set<Int>]) -> Bool {
      var sum: UInt64 = 0
      for (child, places) in zip(children, arrangement) {
        let times = places.count { nodes[$0].devices.contains(device) }
        sum += UInt64(times) * child.mappingCount
      }
      let childless = nodes.indices.count { node in
        nodes[node].height == nil && nodes[node].devices.contains(device)
          && !arrangement.contains { $0.contains(node) }
      }
      let leaves = lacks[device].lostLeaves + hiddenNodes + childless
      let room = UInt64(leaves * BTreeNode.capacity(valueSize: Mapping.valueSize))
      return sum <= lacks[device].mappings && lacks[device].mappings <= sum + room
    }
  }

  @Test func `what is certain is what all arrangements have in common`() throws {
    var random = SeededRandom()
    var solved = 0
    for round in 0..<3000 {
      let riddle = Riddle(&random)
      let place: Comment = "round \(round), seed \(random.seed)"
      let solutions = riddle.solutions
      let found = ChildArrangements(
        riddle.children, in: riddle.nodes, lacks: riddle.lacks, hiddenNodes: riddle.hiddenNodes)
      #expect((found == nil) == solutions.isEmpty, place)
      guard let found else { continue }
      solved += 1
      for node in riddle.nodes.indices {
        let stands = riddle.children.indices.map { child in
          solutions.map { $0[child].contains(node) }
        }
        let certain = stands.indices.filter { stands[$0].allSatisfy(\.self) }
        #expect(found.certain(in: node).sorted() == certain, place)
        let possible = stands.indices.filter { stands[$0].contains(true) }
        #expect(found.possible(in: node).sorted() == possible, place)
        let some = Set(stands.indices.filter { _ in random.once(in: 2) })
        let hasAny = solutions.indices.allSatisfy { solution in
          some.contains { stands[$0][solution] }
        }
        #expect(found.hasAny(of: some, in: node) == hasAny, place)
      }
    }
    #expect(solved > 50, "seed \(random.seed)")
  }

  /// Leaves of all sizes in no order: there are too many sums to keep.
  @Test func `where there are too many arrangements nothing is certain`() {
    let children = (0..<UInt64(400)).map { key in
      ChildArrangements.Child(
        keys: key...key, height: 0, mappingCount: 1 + key * 7919 % 252, missing: 1)
    }
    let all = children.reduce(0) { $0 + $1.mappingCount }
    let nodes = (0..<4).map { ChildArrangements.LostNode(keys: 0...1000, height: 1, devices: [$0]) }
    let lacks = (0..<4).map { _ in ChildArrangements.Lack(mappings: all / 4, lostLeaves: 1) }
    #expect(ChildArrangements(children, in: nodes, lacks: lacks, hiddenNodes: 0) == nil)
  }
}
