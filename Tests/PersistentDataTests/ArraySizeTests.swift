import PersistentData
import Testing

/// What is said of sizes before anything is written, beside what writing takes.
@Suite struct ArraySizeTests {
  @Test(arguments: [0, 1, 251, 252, 253, 504, 505, 63_504, 63_505, 200_000] as [UInt64])
  func `an array takes as many blocks as is said`(arrayBlocks: UInt64) throws {
    let shape = ArrayShape(StructureLabel("array", order: 0), valueSize: 8)
    let writer = BlockWriter(counting: MetadataBlock.maximumCount)
    var tree = TreeWriter<UInt64>(writer)
    for place in 0..<arrayBlocks { try tree.push(place, 1) }
    _ = try tree.finish()
    let nodes = writer.neededCount - 1
    #expect(TreeSize.nodes(for: arrayBlocks, valueSize: 8) == nodes)
    let entries = arrayBlocks * UInt64(shape.valuesPerBlock)
    #expect(ArraySize.blocks(shape, entries) == arrayBlocks + nodes)
  }

  @Test func `metadata takes as many blocks as is said, whatever the size of its device`() throws {
    for blockCount in [5, 16_320, 16_321, 100_000] as [UInt64] {
      let writer = BlockWriter(counting: blockCount)
      _ = try writer.appendEmptyLeaf(of: UInt64.self)
      _ = try SpaceMapWriter(writer).writeMetadata()
      #expect(ArraySize.metadataBlocks(forArrays: 1, on: blockCount) == writer.neededCount)
    }
    for arrays in [1, 1_000, 16_315, 16_316, 16_317, 40_000] as [UInt64] {
      let size = ArraySize.metadataBlocks(forArrays: arrays)
      #expect(ArraySize.metadataBlocks(forArrays: arrays, on: size) == size)
    }
  }
}
