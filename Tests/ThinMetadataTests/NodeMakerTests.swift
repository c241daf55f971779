import PersistentData
import TestSupport
import Testing
import ThinMetadata

/// Lost nodes made anew of what is left below them.
@Suite struct NodeMakerTests {
  @Test func `what comes to nothing leaves the blocks to spare as they were`() throws {
    let scratch = try Scratch()
    let file = try MetadataImage([UInt8](repeating: 0, count: 8 * MetadataBlock.size)).open(scratch)
    let lost = MetadataBlock(1)
    let spare = MetadataBlock(2)
    var maker = NodeMaker(file, [spare])
    let leaf = NodePart(keys: 0...9, height: 0, value: 5)
    // Too high to stand beside what leaves are raised to.
    let tall = NodePart(keys: 10...19, height: 2, value: 6)
    #expect(maker.make(lost, of: [leaf, tall], childHeight: 1) == nil)
    #expect(try file.withBlock(spare) { BlockKind(of: $0) } == nil)
    #expect(maker.make(lost, of: [leaf], childHeight: 1)?.map(\.value) == [UInt64(spare.number)])
    #expect(try file.withBlock(spare) { BlockKind(of: $0) } == .btreeNode)
    #expect(try file.withBlock(lost) { BlockKind(of: $0) } == .btreeNode)
  }
}
