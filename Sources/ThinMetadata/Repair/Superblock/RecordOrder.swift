internal import PersistentData

/// Which states of a pool are older than others, by the records of their devices.
struct RecordOrder {
  /// States with the same records of all devices, but for how much is mapped.
  typealias Class = Int

  private struct Pair: Hashable {
    let class1: Class
    let class2: Class
  }

  /// The most pairs that are compared: beyond that, nothing is said of any.
  private static let maxComparisons = 1 << 18

  private let states: [PoolState]
  private let census: BlockCensus
  /// By state.
  private let classes: [Class]
  /// By class: a state with these records.
  private var examples: [Int] = []
  private var known: [Pair: Bool] = [:]

  init(_ states: [PoolState], _ census: BlockCensus) {
    self.states = states
    self.census = census
    var byRecords: [Int: Class] = [:]
    var examples: [Int] = []
    classes = states.indices.map { state in
      // Leaves are split as devices come, so the sum must not depend on which has what.
      var sum = 0
      census.forEachDetailsLeaf(of: states[state], notIn: nil) { leaf in
        for (id, details) in leaf {
          var details = details
          details.mappedBlocks = 0
          var hasher = Hasher()
          hasher.combine(id)
          hasher.combine(details)
          sum &+= hasher.finalize()
        }
      }
      if let known = byRecords[sum] { return known }
      byRecords[sum] = examples.count
      examples.append(state)
      return examples.count - 1
    }
    self.examples = examples
  }

  /// Whether everything that was asked for was compared.
  var isExhaustive: Bool { known.count < RecordOrder.maxComparisons }

  func `class`(of state: Int) -> Class { classes[state] }

  /// Whether states of one class are older than those of another.
  mutating func isOlder(_ class1: Class, than class2: Class) -> Bool {
    if class1 == class2 { return false }
    let pair = Pair(class1: class1, class2: class2)
    if let answer = known[pair] { return answer }
    guard isExhaustive else { return false }
    let (state1, state2) = (states[examples[class1]], states[examples[class2]])
    let answer = DeviceRecords(state1, notIn: state2, census).areOlder(
      than: DeviceRecords(state2, notIn: state1, census))
    known[pair] = answer
    return answer
  }
}
