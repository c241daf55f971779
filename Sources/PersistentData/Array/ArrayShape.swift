/// What all blocks of one array have in common: the array's name and the size of its values.
package struct ArrayShape: Sendable {
  package let label: StructureLabel
  /// The array's name in findings: "mapping array".
  package var name: String { label.name }
  /// Bytes in a value: 4 or 8.
  package let valueSize: Int
  /// Array entries that one value stands for: 64 in a bitset, otherwise 1. Keys in findings count
  /// these.
  package let unitsPerValue: Int

  package init(_ label: StructureLabel, valueSize: Int, unitsPerValue: Int = 1) {
    self.label = label
    self.valueSize = valueSize
    self.unitsPerValue = unitsPerValue
  }

  /// A bitset: bit n is in word n / 64, counted from the lowest bit of the word.
  ///
  /// Source: Linux, drivers/md/persistent-data/dm-bitset.c.
  package static func bitset(_ label: StructureLabel) -> ArrayShape {
    ArrayShape(label, valueSize: 8, unitsPerValue: UInt64.bitWidth)
  }

  package var valuesPerBlock: Int { ArrayBlock.capacity(valueSize: valueSize) }

  /// Entries, bits in a bitset, that one block holds.
  package var entriesPerBlock: UInt64 { UInt64(valuesPerBlock * unitsPerValue) }

  /// Blocks needed for `entries` entries.
  package func blockCount(for entries: UInt64) -> UInt64 {
    entries / entriesPerBlock + (entries % entriesPerBlock == 0 ? 0 : 1)
  }

  /// The entries that block `index` of an array of `count` entries holds.
  package func range(ofBlock index: Int, count: UInt64) -> Range<UInt64> {
    let first = UInt64(index) * entriesPerBlock
    return first..<max(first, min(count, first + entriesPerBlock))
  }

  /// The index tree: from a block's place in the array to its metadata block.
  package var indexTree: Tree {
    Tree(label.part("index", counting: .arrayBlock), leafValueSize: 8)
  }

  /// A site in the array. `keys`: entries of the array.
  package func site(
    block: UInt64? = nil, entry: Int? = nil, keys: ClosedRange<UInt64>? = nil
  ) -> Site {
    Site(label, block: block, entry: entry, keys: keys)
  }
}
