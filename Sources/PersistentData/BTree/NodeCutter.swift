/// Cuts ascending entries into nodes, full but for the last two, which share what is left: no
/// node but a root is ever less than a third full.
package struct NodeCutter<Value: NodeValue> {
  /// Entries not yet written; kept back so that the last node can't come out too small.
  package private(set) var keys: [UInt64] = []
  package private(set) var values: [Value] = []
  package private(set) var nodes: [WrittenNode] = []

  private let maximum = BTreeNode.maximumEntries(valueSize: Value.encodedSize)
  private let kind: BTreeNode.Kind

  package init(_ kind: BTreeNode.Kind) { self.kind = kind }

  package var minimum: Int { BTreeNode.minimumEntries(valueSize: Value.encodedSize) }

  /// Adds an entry whose key is higher than all before.
  package mutating func push(
    _ key: UInt64, _ value: Value, to writer: BlockWriter
  ) throws(IOError) {
    keys.append(key)
    values.append(value)
    if keys.count == 2 * maximum { try cut(maximum, to: writer) }
  }

  /// Takes out what is kept back.
  package mutating func takeKept() -> (keys: [UInt64], values: [Value]) {
    defer {
      keys.removeAll(keepingCapacity: true)
      values.removeAll(keepingCapacity: true)
    }
    return (keys, values)
  }

  /// Adds a node that stands ready, when nothing is kept back.
  package mutating func attach(_ node: WrittenNode) {
    precondition(keys.isEmpty)
    nodes.append(node)
  }

  /// Takes the last node back, its entries to be pushed anew.
  package mutating func detachLast() -> WrittenNode? {
    precondition(keys.isEmpty)
    return nodes.popLast()
  }

  /// Writes what is kept back: one node, or two of about the same size.
  package mutating func flush(to writer: BlockWriter) throws(IOError) {
    if keys.count > maximum { try cut(keys.count / 2, to: writer) }
    if !keys.isEmpty { try cut(keys.count, to: writer) }
  }

  /// Writes a node with the first `count` entries kept back.
  package mutating func cut(_ count: Int, to writer: BlockWriter) throws(IOError) {
    nodes.append(try writer.appendNode(kind, keys.prefix(count), values.prefix(count)))
    keys.removeFirst(count)
    values.removeFirst(count)
  }
}

extension NodeCutter where Value == UInt64 {
  /// Adds `count` entries: keys that ascend by 1, values that ascend by `step`.
  package mutating func push(
    keysFrom key: UInt64, count: UInt64, valuesFrom value: UInt64, step: UInt64,
    to writer: BlockWriter
  ) throws(IOError) {
    var done: UInt64 = 0
    while done < count {
      let room = UInt64(2 * maximum - keys.count)
      let end = done + min(room, count - done)
      for index in done..<end {
        keys.append(key + index)
        values.append(value + step * index)
      }
      done = end
      if keys.count == 2 * maximum { try cut(maximum, to: writer) }
    }
  }
}
