internal import PersistentData

/// What readable leaves say about data blocks that are short of references.
///
/// As long as a data block is allocated, all its mappings have one virtual block and one time: a
/// kernel only ever copies them, leaf by leaf. So one survivor tells what all were. Metadata
/// written by hand may break that rule, which is why other blocks are looked at too.
struct Survivors: Sendable {
  /// The most blocks that are looked at only to see whether the pool keeps to the rule.
  private static let sampleSize: UInt64 = 1 << 16

  struct Witness: Sendable {
    let key: UInt64
    let time: UInt32
    var isUnanimous = true
  }

  private(set) var witnesses: [UInt64: Witness] = [:]
  /// Whether no block that was looked at has two virtual blocks or two times.
  private(set) var isRegular = true

  /// Reads all leaves once more.
  init(_ reader: PoolReader, of blocks: Set<UInt64>) {
    let limits = reader.limits
    let stride = max(1, limits.dataBlockCount / Survivors.sampleSize)
    var walk = reader.mappings
    var findings = Findings()
    let visitors = walk.readLeaves(findings: &findings) {
      Visitor(blocks: blocks, stride: stride, leaf: MappingLeaf(limits))
    }
    for (block, witness) in visitors.flatMap(\.witnesses) {
      Survivors.note(witness, of: block, in: &witnesses)
    }
    isRegular = witnesses.values.allSatisfy(\.isUnanimous)
  }

  private static func note(
    _ witness: Witness, of block: UInt64, in witnesses: inout [UInt64: Witness]
  ) {
    guard let known = witnesses[block] else {
      witnesses[block] = witness
      return
    }
    if known.key != witness.key || known.time != witness.time || !witness.isUnanimous {
      witnesses[block]?.isUnanimous = false
    }
  }

  private struct Visitor: LeafVisitor {
    let blocks: Set<UInt64>
    let stride: UInt64
    var leaf: MappingLeaf
    var witnesses: [UInt64: Witness] = [:]

    init(blocks: Set<UInt64>, stride: UInt64, leaf: MappingLeaf) {
      self.blocks = blocks
      self.stride = stride
      self.leaf = leaf
    }

    mutating func visit(_ node: BTreeNode, _ reference: NodeReference) {
      var findings = Findings()
      leaf.read(node, reference, findings: &findings)
      for run in leaf.runs {
        for index in 0..<run.length {
          let block = run.dataBegin + index
          guard block.isMultiple(of: stride) || blocks.contains(block) else { continue }
          let witness = Witness(key: run.virtualBegin + index, time: run.time)
          Survivors.note(witness, of: block, in: &witnesses)
        }
      }
    }
  }
}
