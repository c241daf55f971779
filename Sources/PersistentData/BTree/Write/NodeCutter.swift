/// Cuts ascending entries into nodes, full except the last two, which share what is left, so that
/// only a root can be less than a third full.
package struct NodeCutter<Value: NodeValue> {
  package private(set) var nodes: [WrittenNode] = []
  /// Entries not yet written; kept back so that the last node can't come out too small.
  package private(set) var keptCount = 0

  /// Room for the entries of two nodes, the first `keptCount` in use; `values` is empty until the
  /// first push. A dump has 10^9 entries: appending them to arrays would cost more than all the
  /// rest.
  private var keys: [UInt64]
  private var values: [Value] = []

  private let maximum = BTreeNode.maximumEntries(valueSize: Value.encodedSize)
  private let kind: BTreeNode.Kind

  package init(_ kind: BTreeNode.Kind) {
    self.kind = kind
    keys = Array(repeating: 0, count: 2 * maximum)
  }

  package var minimum: Int { BTreeNode.minimumEntries(valueSize: Value.encodedSize) }

  /// Adds an entry whose key is higher than all before.
  package mutating func push(
    _ key: UInt64, _ value: Value, to writer: BlockWriter
  ) throws(IOError) {
    if values.isEmpty { values = Array(repeating: value, count: 2 * maximum) }
    keys[keptCount] = key
    values[keptCount] = value
    keptCount += 1
    if keptCount == 2 * maximum { try cut(maximum, to: writer) }
  }

  /// Takes out the entries kept back.
  package mutating func takeKept() -> (keys: [UInt64], values: [Value]) {
    defer { keptCount = 0 }
    return (Array(keys.prefix(keptCount)), Array(values.prefix(keptCount)))
  }

  /// Takes out the nodes, to start over; no entries may be kept back.
  package mutating func takeNodes() -> [WrittenNode] {
    precondition(keptCount == 0)
    defer { nodes = [] }
    return nodes
  }

  /// Adds a node already written; no entries may be kept back.
  package mutating func attach(_ node: WrittenNode) {
    precondition(keptCount == 0)
    nodes.append(node)
  }

  /// Removes the last node, whose entries the caller pushes again.
  package mutating func detachLast() -> WrittenNode? {
    precondition(keptCount == 0)
    return nodes.popLast()
  }

  /// Writes the entries kept back: one node, or two of about the same size.
  package mutating func flush(to writer: BlockWriter) throws(IOError) {
    if keptCount > maximum { try cut(keptCount / 2, to: writer) }
    if keptCount > 0 { try cut(keptCount, to: writer) }
  }

  /// Writes a node with the first `count` of the entries kept back.
  private mutating func cut(_ count: Int, to writer: BlockWriter) throws(IOError) {
    nodes.append(
      try writer.appendNode(
        kind, keys.span.extracting(first: count), values.span.extracting(first: count)))
    NodeCutter.moveToFront(&keys, count..<keptCount)
    NodeCutter.moveToFront(&values, count..<keptCount)
    keptCount -= count
  }

  private static func moveToFront<Element>(_ array: inout [Element], _ range: Range<Int>) {
    var elements = array.mutableSpan
    for index in range { elements[index - range.lowerBound] = elements[index] }
  }
}

extension NodeCutter where Value == UInt64 {
  /// Adds `count` entries: keys that ascend by 1, values that ascend by `step`.
  package mutating func push(
    keysFrom key: UInt64, count: UInt64, valuesFrom value: UInt64, step: UInt64,
    to writer: BlockWriter
  ) throws(IOError) {
    if values.isEmpty { values = Array(repeating: 0, count: 2 * maximum) }
    var done: UInt64 = 0
    while done < count {
      let end = keptCount + Int(min(count - done, UInt64(2 * maximum - keptCount)))
      NodeCutter.fill(&keys, keptCount..<end, from: key + done, step: 1)
      NodeCutter.fill(&values, keptCount..<end, from: value + step * done, step: step)
      done += UInt64(end - keptCount)
      keptCount = end
      if keptCount == 2 * maximum { try cut(maximum, to: writer) }
    }
  }

  /// Adds entries as they stand on disk; their keys ascend, and are higher than all before.
  package mutating func push(
    littleEndian keys: Span<UInt64>, _ values: Span<UInt64>, to writer: BlockWriter
  ) throws(IOError) {
    precondition(keys.count == values.count)
    if self.values.isEmpty { self.values = Array(repeating: 0, count: 2 * maximum) }
    var done = 0
    while done < keys.count {
      let part = done..<done + min(keys.count - done, 2 * maximum - keptCount)
      self.keys.copy(littleEndian: keys.extracting(part), to: keptCount)
      self.values.copy(littleEndian: values.extracting(part), to: keptCount)
      done = part.upperBound
      keptCount += part.count
      if keptCount == 2 * maximum { try cut(maximum, to: writer) }
    }
  }

  private static func fill(
    _ array: inout [UInt64], _ range: Range<Int>, from first: UInt64, step: UInt64
  ) {
    var numbers = array.mutableSpan
    var number = first
    for index in range {
      numbers[index] = number
      // The number after the last may overflow; it isn't used.
      number &+= step
    }
  }
}
