import Foundation
import PersistentData

/// A log of dm-log-writes: what was written to a device, in order, with marks.
///
/// Source: Linux, drivers/md/dm-log-writes.c, `struct log_write_super` and `log_write_entry`.
struct WriteLog {
  private enum Layout {
    static let magic = Field<UInt64>(at: 0)
    static let entryCount = Field<UInt64>(at: 16)
    static let sectorSize = Field<UInt32>(at: 24)  // bytes
    // An entry, in a sector of its own, its data behind it:
    static let sector = Field<UInt64>(at: 0)
    static let sectorCount = Field<UInt64>(at: 8)
    static let flags = Field<UInt64>(at: 16)
    static let markLength = Field<UInt64>(at: 24)
    static let mark = 32
  }

  struct Entry {
    let firstSector: UInt64
    let isMark: Bool
    let data: [UInt8]
    /// What a mark says.
    var mark: String { isMark ? String(decoding: data, as: UTF8.self) : "" }
  }

  private static let magic: UInt64 = 0x6A_7366_7773_6872
  private static let discardFlag: UInt64 = 4
  private static let markFlag: UInt64 = 8

  let entries: [Entry]
  private let sectorSize: Int

  var entryCount: Int { entries.count }

  init(_ log: Data) throws {
    let bytes = [UInt8](log)
    func field<Value>(_ field: Field<Value>, _ base: Int) -> Value {
      bytes.span.bytes[field.shifted(by: base)]
    }
    guard field(Layout.magic, 0) == WriteLog.magic else { throw NotALog() }
    let size = Int(field(Layout.sectorSize, 0))
    var entries: [Entry] = []
    var place = size
    for _ in 0..<field(Layout.entryCount, 0) {
      let flags = field(Layout.flags, place)
      let isMark = flags & WriteLog.markFlag != 0
      let length = Int(field(Layout.sectorCount, place)) * size
      let first = field(Layout.sector, place)
      var data: [UInt8]
      if isMark {
        let start = place + Layout.mark
        data = Array(bytes[start..<start + Int(field(Layout.markLength, place))])
        data.removeAll { $0 == 0 }
        place += size
      } else if flags & WriteLog.discardFlag != 0 {
        data = [UInt8](repeating: 0, count: length)
        place += size
      } else {
        data = Array(bytes[place + size..<place + size + length])
        place += size + length
      }
      entries.append(Entry(firstSector: first, isMark: isMark, data: data))
    }
    self.entries = entries
    sectorSize = size
  }

  struct NotALog: Error {}

  /// Gives the device, `blocks` long, after each entry that wrote something, from the first
  /// superblock on, and the last entry.
  func forEachImage(blocks: Int, _ body: (MetadataImage, Int) throws -> Void) rethrows {
    var bytes = [UInt8](repeating: 0, count: blocks * MetadataBlock.size)
    var isFormatted = false
    for (index, entry) in entries.enumerated() {
      if !entry.isMark, !entry.data.isEmpty {
        let start = Int(entry.firstSector) * sectorSize
        bytes.replaceSubrange(start..<start + entry.data.count, with: entry.data)
        if entry.firstSector == 0 { isFormatted = true }
      } else if index < entries.count - 1 {
        continue
      }
      if isFormatted { try body(MetadataImage(bytes), index) }
    }
  }
}
