/// Where a record is in a pack file.
struct RecordPlace: Sendable {
  /// The offset of its length, in bytes.
  let offset: UInt64
  /// Bytes of its contents, which follow the length.
  let length: UInt64
  /// Why there is nothing to read.
  var error: PackError?

  var contents: Range<UInt64> {
    let start = offset + UInt64(PackLayout.lengthSize)
    return start..<start + length
  }
}

/// Finds the records of a pack file one by one.
struct RecordPlaces {
  private let source: PackSource
  private let size: UInt64
  private var offset = UInt64(PackLayout.size)

  /// `size`: bytes of the whole file.
  init(_ source: PackSource, size: UInt64) {
    self.source = source
    self.size = size
  }

  /// The next record; `nil` at the end of the file, and after one whose length makes no sense.
  mutating func next() -> RecordPlace? {
    guard offset < size else { return nil }
    let start = offset
    offset = size
    let room = size - start
    let cutOff = PackError.badRecord(offset: start, fault: .cutOff)
    guard room >= PackLayout.lengthSize
    else { return RecordPlace(offset: start, length: 0, error: cutOff) }
    var bytes = [UInt8](repeating: 0, count: PackLayout.lengthSize)
    do throws(IOError) {
      try bytes.edit { (bytes) throws(IOError) in
        try source.read(into: &bytes, count: PackLayout.lengthSize, at: start)
      }
    } catch {
      return RecordPlace(offset: start, length: 0, error: .input(error))
    }
    let length = bytes.rawBytes[Field<UInt64>(at: 0)]
    guard length <= room - UInt64(PackLayout.lengthSize)
    else { return RecordPlace(offset: start, length: 0, error: cutOff) }
    offset = start + UInt64(PackLayout.lengthSize) + length
    return RecordPlace(offset: start, length: length)
  }
}
