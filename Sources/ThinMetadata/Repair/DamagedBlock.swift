internal import PersistentData

/// A block that can't be used, and how it looks: that often tells what happened to it.
package struct DamagedBlock: Hashable, Sendable {
  package enum Look: String, CaseIterable, Sendable {
    /// The device can't read it.
    case unreadable
    /// Nothing but zeroes: discarded, or never written.
    case zeroed
    /// One bit is flipped; repair flips it back.
    case flippedBit = "flipped_bit"
    /// One byte is wrong; repair puts it right.
    case wrongByte = "wrong_byte"
    /// The block starts as it should and goes on as something else: a write that was cut short.
    case torn
    /// Metadata that belongs elsewhere: a write that went astray.
    case misplaced
    /// Sound in itself, but not what belongs there.
    case unfitting
    /// Sound in itself, but contradicted by the rest of the pool: older or changed contents.
    case contradicted
    /// Nothing that a thin pool writes.
    case foreign
  }

  package let block: UInt64
  /// The structure it belongs to, in the words of findings.
  package let structure: String
  package let look: Look
  /// The block whose copy this is, when it is misplaced.
  package let copyOf: UInt64?
}

extension DamagedBlock {
  /// The most blocks that are looked at.
  package static let limit = 1000

  /// The blocks that findings of damage name, ascending, as they stand on the device.
  static func list(_ findings: Findings, in file: BlockFile) -> [DamagedBlock] {
    var structures: [UInt64: String] = [:]
    for finding in findings.sorted where finding.rule.severity == .error {
      let isSuperblock = finding.site == PoolReader.Structure.superblock
      guard let block = finding.site.block ?? (isSuperblock ? 0 : nil), structures.count < limit
      else { continue }
      if DamagedBlock.rules.contains(finding.rule) {
        structures[block] = structures[block] ?? finding.site.structure
      }
    }
    return structures.sorted { $0.key < $1.key }.compactMap { block, structure in
      guard block < file.blockCount, let number = UInt32(exactly: block) else { return nil }
      return DamagedBlock(looking: MetadataBlock(number), structure, in: file)
    }
  }

  /// Where every kind of block that a thin pool has keeps its own number.
  private static let ownNumber = BTreeNode.Layout.block

  /// Rules about the block itself, not about a pointer or a number in it.
  private static let rules: Set<Rule> = Set(
    Rule.allCases.filter { $0.rawValue.hasPrefix("block") || $0.rawValue.hasPrefix("node") }
  ).union([.leafAtWrongDepth])

  private init(looking block: MetadataBlock, _ structure: String, in file: BlockFile) {
    self.block = UInt64(block.number)
    self.structure = structure
    let seen: (Look, UInt64?)
    do {
      seen = try file.withBlock(block) { DamagedBlock.look($0, at: block) }
    } catch {
      seen = (.unreadable, nil)
    }
    (look, copyOf) = seen
  }

  private static func look(
    _ bytes: RawSpan, at block: MetadataBlock
  ) -> (Look, copyOf: UInt64?) {
    let words = (0..<MetadataBlock.size / 8).map { bytes[Field<UInt64>(at: 8 * $0)] }
    if words.allSatisfy({ $0 == 0 }) { return (.zeroed, nil) }
    let own = bytes[ownNumber]
    if BlockKind(of: bytes) != nil {
      return own == UInt64(block.number) ? (.unfitting, nil) : (.misplaced, own)
    }
    let kinds: [BlockKind] = [.btreeNode, .bitmap, .metadataIndex, .thinSuperblock]
    if kinds.contains(where: { SingleBitError.locate(in: bytes, as: $0) != nil }) {
      return (.flippedBit, nil)
    }
    if block == .superblock, Superblock.correction(of: bytes, home: block) != nil {
      return (.wrongByte, nil)
    }
    let isBegun =
      block == .superblock
      ? bytes[Superblock.Layout.magic] == Superblock.magic : own == UInt64(block.number)
    return (isBegun ? .torn : .foreign, nil)
  }
}

extension DamagedBlock.Look: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unreadable: "the device can't read it"
    case .zeroed: "nothing but zeroes"
    case .flippedBit: "one flipped bit, which was turned back"
    case .wrongByte: "one wrong byte, which was put right"
    case .torn: "the beginning is right and the rest is wrong"
    case .misplaced: "metadata that belongs to another block"
    case .unfitting: "sound, but not what belongs there"
    case .contradicted: "sound in itself, but other blocks contradict it"
    case .foreign: "overwritten with something else"
    }
  }
}
