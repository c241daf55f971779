internal import PersistentData

/// All ways in which children can have stood in lost nodes, and what those ways have in common.
///
/// An arrangement puts every child into as many nodes as it misses references. The children of one
/// node lie within its keys, don't overlap and have one height, unless other lost nodes stood
/// between; and every device gets as many mappings as it misses, except those of lost leaves. Which
/// arrangement was the true one isn't known, but what is the same in all of them is true.
///
/// Children are placed one by one in key order. Two partial arrangements that leave the same to be
/// done are merged, so that there are few even where everything combines with everything.
package struct ChildArrangements: Sendable {
  /// A subtree that lost nodes referred to.
  package struct Child: Sendable {
    package let keys: ClosedRange<UInt64>
    /// Levels above the leaves.
    package let height: Int
    package let mappingCount: UInt64
    /// How many nodes it stood in.
    package let missing: Int

    package init(keys: ClosedRange<UInt64>, height: Int, mappingCount: UInt64, missing: Int) {
      self.keys = keys
      self.height = height
      self.mappingCount = mappingCount
      self.missing = missing
    }
  }

  package struct LostNode: Sendable {
    package let keys: ClosedRange<UInt64>
    /// Levels above the leaves; `nil` where that is not known, and it may be a leaf.
    package let height: Int?
    /// Indices of the devices that miss the node.
    package let devices: [Int]

    package init(keys: ClosedRange<UInt64>, height: Int?, devices: [Int]) {
      self.keys = keys
      self.height = height
      self.devices = devices
    }
  }

  /// What a device misses.
  package struct Lack: Hashable, Sendable {
    package let mappings: UInt64
    /// The most leaves that some of these stood in.
    package let lostLeaves: Int

    package init(mappings: UInt64, lostLeaves: Int) {
      self.mappings = mappings
      self.lostLeaves = lostLeaves
    }
  }

  /// With more lost nodes, no arrangement is looked for.
  package static let maxNodes = 16
  /// The most devices whose missing mappings are kept account of.
  package static let maxDevices = 64
  /// The most placements of a child that are tried, in total.
  package static let maxSteps = 1 << 16
  /// The most steps that are followed to answer one question.
  private static let maxFollowed = 1 << 12

  /// A child put into some nodes, on the way from one state to another.
  private struct Step {
    let from: Int
    let to: Int
    /// A bit for each node.
    let places: UInt32
  }

  /// What the children placed so far leave to be done.
  private struct State: Hashable {
    /// Mappings that each device still misses.
    var rooms: [UInt64]
    /// The last key taken in each node, while that matters.
    var ends: [UInt64?]
    /// Height of each node, once known; `nil` while it may still be a leaf.
    var heights: [Int?]
  }

  private let children: [Child]
  private let nodes: [LostNode]
  private let lacks: [Lack]
  private let hiddenNodes: Int
  /// The children in key order, as indices.
  private let order: [Int]
  /// By place in `order`: the steps that lead to a complete arrangement.
  private var layers: [[Step]] = []
  private var stepCount = 0

  /// `lacks`: of each device. `hiddenNodes`: lost nodes, perhaps leaves, that only other lost nodes
  /// led to. `nil` when there are too many arrangements to look at, or none.
  package init?(
    _ children: [Child], in nodes: [LostNode], lacks: [Lack], hiddenNodes: Int
  ) {
    guard nodes.count <= ChildArrangements.maxNodes,
      lacks.count <= ChildArrangements.maxDevices,
      nodes.allSatisfy({ $0.devices.allSatisfy(lacks.indices.contains) }),
      children.allSatisfy({ $0.missing > 0 && $0.mappingCount > 0 })
    else { return nil }
    self.children = children
    self.nodes = nodes
    self.lacks = lacks
    self.hiddenNodes = hiddenNodes
    order = children.indices.sorted {
      (children[$0].keys.lowerBound, $0) < (children[$1].keys.lowerBound, $1)
    }
    guard let last = goForward() else { return nil }
    var good = Set(last.indices.filter { isComplete(last[$0]) })
    if good.isEmpty { return nil }
    for index in layers.indices.reversed() {
      layers[index].removeAll { !good.contains($0.to) }
      good = Set(layers[index].map(\.from))
    }
  }

  // MARK: What is certain

  /// The children that stand in a node in every arrangement.
  package func certain(in node: Int) -> [Int] {
    layers.indices.filter { index in layers[index].allSatisfy { $0.places & 1 << node != 0 } }
      .map { order[$0] }
  }

  /// The children that stand in a node in some arrangement.
  package func possible(in node: Int) -> [Int] {
    layers.indices.filter { index in layers[index].contains { $0.places & 1 << node != 0 } }
      .map { order[$0] }
  }

  /// Whether in every arrangement at least one of these children stands in a node. `false` also
  /// where that takes too long to find out.
  package func hasAny(of some: Set<Int>, in node: Int) -> Bool {
    let places = layers.indices.filter { some.contains(order[$0]) }
    guard let first = places.first, let last = places.last,
      layers[first...last].reduce(0, { $0 + $1.count }) <= ChildArrangements.maxFollowed
    else { return false }
    // Every state left is on a way from start to end; only ways that avoid `some` are followed.
    var avoiding = Set(layers[first].map(\.from))
    for index in first...last {
      let isOne = some.contains(order[index])
      avoiding = Set(
        layers[index].lazy.filter { step in
          avoiding.contains(step.from) && !(isOne && step.places & 1 << node != 0)
        }.map(\.to))
      if avoiding.isEmpty { return true }
    }
    return false
  }

  // MARK: The search

  /// Places one child after another; returns the final states, `nil` when there are too many or
  /// none.
  private mutating func goForward() -> [State]? {
    var states = [
      State(
        rooms: lacks.map(\.mappings), ends: nodes.map { _ in nil }, heights: nodes.map(\.height))
    ]
    for child in order.map({ children[$0] }) {
      var next: [State] = []
      var indices: [State: Int] = [:]
      var steps: [Step] = []
      for (from, state) in states.enumerated() {
        var state = state
        for node in nodes.indices {
          // A child that ends before this one ends before all that follow.
          if let end = state.ends[node], end < child.keys.lowerBound { state.ends[node] = nil }
        }
        let isDone = place(child, child.missing, from: 0, in: state, 0) { state, places in
          let to = indices[state, default: next.count]
          if to == next.count {
            indices[state] = to
            next.append(state)
          }
          steps.append(Step(from: from, to: to, places: places))
        }
        guard isDone else { return nil }
      }
      if next.isEmpty { return nil }
      layers.append(steps)
      states = next
    }
    return states
  }

  /// Puts a child into `times` of the nodes from `first` on, in all ways; `false` when there are
  /// too many.
  private mutating func place(
    _ child: Child, _ times: Int, from first: Int, in state: State, _ places: UInt32,
    _ body: (State, UInt32) -> Void
  ) -> Bool {
    stepCount += 1
    if stepCount > ChildArrangements.maxSteps { return false }
    if times == 0 {
      body(state, places)
      return true
    }
    guard first < nodes.count, times <= nodes.count - first else { return true }
    for node in first..<nodes.count {
      guard let next = adding(child, to: node, in: state) else { continue }
      guard place(child, times - 1, from: node + 1, in: next, places | 1 << node, body)
      else { return false }
    }
    return true
  }

  /// The state after a child is put into a node; `nil` when it doesn't fit there.
  private func adding(_ child: Child, to node: Int, in state: State) -> State? {
    let keys = nodes[node].keys
    guard state.ends[node] == nil, child.keys.lowerBound >= keys.lowerBound,
      child.keys.upperBound <= keys.upperBound,
      canStand(child, below: state.heights[node])
    else { return nil }
    var state = state
    for device in nodes[node].devices {
      guard state.rooms[device] >= child.mappingCount else { return nil }
      state.rooms[device] -= child.mappingCount
    }
    state.ends[node] = child.keys.upperBound
    // With lost nodes between, a child tells only that this isn't a leaf.
    state.heights[node] = hiddenNodes == 0 ? child.height + 1 : state.heights[node] ?? .max
    return state
  }

  private func canStand(_ child: Child, below height: Int?) -> Bool {
    guard let height else { return true }
    return hiddenNodes == 0 ? child.height == height - 1 : child.height < height
  }

  /// Whether no device misses more than lost leaves can have held.
  private func isComplete(_ state: State) -> Bool {
    let leafCapacity = BTreeNode.capacity(valueSize: Mapping.valueSize)
    return lacks.indices.allSatisfy { device in
      // A node of unknown height that got no children may have been a leaf.
      let childless = nodes.indices.count {
        nodes[$0].devices.contains(device) && state.heights[$0] == nil
      }
      let leaves = lacks[device].lostLeaves + hiddenNodes + childless
      return state.rooms[device] <= UInt64(leaves * leafCapacity)
    }
  }
}
