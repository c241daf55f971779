import PersistentData
import TestSupport
import Testing

extension Field {
  /// The bytes it takes.
  var range: Range<Int> { offset..<offset + size }
}

@Suite struct LayoutTests {
  @Test func `the fields of every structure cover it without gap or overlap`() {
    #expect(
      FieldRanges(
        [
          BTreeNode.Layout.checksum.range, BTreeNode.Layout.flags.range,
          BTreeNode.Layout.block.range, BTreeNode.Layout.entryCount.range,
          BTreeNode.Layout.maxEntries.range, BTreeNode.Layout.valueSize.range,
          BTreeNode.Layout.padding.range,
        ], cover: BTreeNode.Layout.size
      ).faults == [])
    #expect(
      FieldRanges(
        [
          Bitmap.Layout.checksum.range, Bitmap.Layout.unused.range, Bitmap.Layout.block.range,
        ], cover: Bitmap.Layout.size
      ).faults == [])
    #expect(
      FieldRanges(
        [
          IndexEntry.Layout.block.range, IndexEntry.Layout.freeCount.range,
          IndexEntry.Layout.noneFreeBefore.range,
        ], cover: IndexEntry.Layout.size
      ).faults == [])
    #expect(
      FieldRanges(
        [
          MetadataIndex.Layout.checksum.range, MetadataIndex.Layout.padding.range,
          MetadataIndex.Layout.block.range,
        ], cover: MetadataIndex.Layout.size
      ).faults == [])
    #expect(
      FieldRanges(
        [
          SpaceMapRoot.Layout.blockCount.range, SpaceMapRoot.Layout.allocatedCount.range,
          SpaceMapRoot.Layout.bitmapRoot.range, SpaceMapRoot.Layout.refCountRoot.range,
        ], cover: SpaceMapRoot.Layout.size
      ).faults == [])
  }

  @Test func `the fields of a pack file cover it without gap or overlap`() {
    #expect(
      FieldRanges(
        [
          PackLayout.magic.range, PackLayout.version.range, PackLayout.blockSize.range,
          PackLayout.blockCount.range,
        ], cover: PackLayout.size
      ).faults == [])
    #expect(
      FieldRanges(
        [PackLayout.End.soundCount.range, PackLayout.End.damagedCount.range],
        cover: PackLayout.End.size
      ).faults == [])
  }

  @Test func `the fields of an undo file cover its blocks without gap or overlap`() {
    typealias Header = UndoLayout.Header
    #expect(
      FieldRanges(
        [
          Header.magic..<Header.magic + 16, Header.version.range, Header.blockSize.range,
          Header.deviceBlockCount.range, Header.notice..<Header.checksum.offset,
          Header.checksum.range,
        ], cover: MetadataBlock.size
      ).faults == [])
    typealias Table = UndoLayout.Table
    let end = Table.entries + Table.capacity * UndoLayout.Entry.size
    #expect(
      FieldRanges(
        [Table.count.range, Table.isLast.range, Table.entries..<end, Table.checksum.range],
        cover: MetadataBlock.size
      ).faults == [])
    typealias Entry = UndoLayout.Entry
    #expect(
      FieldRanges(
        [
          Entry.block.range, Entry.oldChecksum.range,
          Entry.newSectors..<Entry.newSectors + 8 * UndoLayout.sectorCount,
        ], cover: Entry.size
      ).faults == [])
  }

  @Test func `gaps and overlaps would be noticed`() {
    #expect(FieldRanges([0..<4, 4..<8], cover: 8).faults == [])
    #expect(FieldRanges([0..<4, 6..<8], cover: 8).faults == ["no field for bytes 4..<6"])
    #expect(FieldRanges([4..<8, 0..<5], cover: 8).faults == ["two fields for byte 4"])
    #expect(FieldRanges([0..<4], cover: 8).faults.count == 1)
  }

  @Test func `entries fill their blocks as kernels have it`() {
    #expect(Bitmap.entryCount == 16_320)
    #expect(MetadataIndex.entryCount == 255)
    #expect(MetadataIndex.offset(of: 255) == MetadataBlock.size)
    #expect(MetadataBlock.maximumCount == 4_161_600)
    let maxima = [4: 336, 8: 252, 12: 201, 16: 168, 24: 126]
    for (size, maximum) in maxima {
      #expect(BTreeNode.maximumEntries(valueSize: size) == maximum)
      #expect(BTreeNode.minimumEntries(valueSize: size) == maximum / 3)
    }
  }

  @Test func `the count of an entry has its high bit first`() {
    // Bit 2k is the high bit of entry k.
    #expect((0..<4).map { Bitmap.count($0, in: 0b11_01_10_00) } == [0, 1, 2, 3])
    #expect(Bitmap.count(31, in: 1 << 62) == 2)
  }
}
