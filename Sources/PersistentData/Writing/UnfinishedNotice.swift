/// The contents of block 0 while a device is being written: plain text instead of a superblock.
///
/// Not zeroes: a kernel takes a zeroed block 0 for a new pool and formats it, and LVM skips its
/// check there.
package enum UnfinishedNotice {
  private static let text =
    "Unfinished thin, cache or era metadata. A restore or repair to this device was interrupted.\n"
    + "Nothing here can be used: run thin_restore or thin_repair again.\n"

  /// Overwrites block 0 and waits until it is on stable storage.
  static func write(to file: BlockFile) throws(IOError) {
    let notice = BlockBuffer(zeroedBlocks: 1)
    notice.edit(0) { bytes in
      for (offset, byte) in text.utf8.enumerated() { bytes[Field<UInt8>(at: offset)] = byte }
    }
    try notice.write(file, to: 0, count: 1)
    try file.flush()
  }

  /// Whether these bytes, the start of a device, are the notice.
  package static func stands(in bytes: RawSpan) -> Bool {
    let wanted = text.utf8.prefix(64)
    guard bytes.byteCount >= wanted.count else { return false }
    return wanted.enumerated().allSatisfy { bytes[Field<UInt8>(at: $0.offset)] == $0.element }
  }
}
