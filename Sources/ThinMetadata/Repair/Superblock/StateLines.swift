/// States of a pool, joined to lines in which each followed the one before it.
struct StateLines {
  private struct Line {
    var states: [Int]
    var classes: Set<RecordOrder.Class>
    /// The largest distance of a step within.
    var weakest = 0.0
  }

  /// By the first state; `nil` for states further on in a line.
  private var lines: [Line?]
  /// By state: the first one of its line.
  private var heads: [Int]
  private var order: RecordOrder

  /// `count`: of states, each of which is a line at first.
  init(count: Int, _ order: RecordOrder) {
    lines = (0..<count).map { Line(states: [$0], classes: [order.class(of: $0)]) }
    heads = Array(0..<count)
    self.order = order
  }

  /// Whether all records that could contradict were compared.
  var isExhaustive: Bool { order.isExhaustive }

  /// Joins the line that ends with `from` and the one that starts with `to`, if there are such, and
  /// records of devices don't contradict.
  mutating func join(_ from: Int, to: Int, distance: Double) {
    guard heads[from] != to, var line = lines[heads[from]], line.states.last == from,
      let next = lines[to], !isOlder(next, than: line), !lieStates(between: line, and: next)
    else { return }
    for state in next.states { heads[state] = heads[from] }
    line.states += next.states
    line.classes.formUnion(next.classes)
    line.weakest = max(line.weakest, next.weakest, distance)
    lines[to] = nil
    lines[heads[from]] = line
  }

  /// The last states of lines that are not older than another one; ascending by the first state of
  /// the line. None if there are contradictions.
  mutating func ends() -> [Int] {
    let all = lines.compactMap(\.self)
    var ends: [Int] = []
    for (index, line) in all.enumerated() {
      let isOlder = all.indices.contains { $0 != index && self.isOlder(line, than: all[$0]) }
      if !isOlder, let end = line.states.last { ends.append(end) }
    }
    return ends
  }

  /// How much farther a step of that distance, from the end of a line to its beginning, is than
  /// any step within: the line may be a ring that began elsewhere.
  mutating func lead(of end: Int, over distance: Double) -> Double {
    let head = heads[end]
    if order.isOlder(order.class(of: head), than: order.class(of: end)) { return .infinity }
    return distance - (lines[head]?.weakest ?? 0)
  }

  /// The first state of a line.
  func head(of state: Int) -> Int { heads[state] }

  /// Whether another line is newer than `line` and older than `next`.
  private mutating func lieStates(between line: Line, and next: Line) -> Bool {
    for case let other? in lines where ![line.states[0], next.states[0]].contains(other.states[0]) {
      if isOlder(line, than: other), isOlder(other, than: next) { return true }
    }
    return false
  }

  private mutating func isOlder(_ line: Line, than other: Line) -> Bool {
    order.isExhaustive
      && line.classes.contains { class1 in
        other.classes.contains { order.isOlder(class1, than: $0) }
      }
  }
}
