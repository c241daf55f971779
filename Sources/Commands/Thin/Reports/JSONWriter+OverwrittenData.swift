internal import ThinMetadata

extension JSONWriter {
  /// Writes which data of a device is, or may be, overwritten, as fields of that device's object.
  mutating func overwritten(_ device: OverwrittenData.Device, _ size: BlockSize) {
    ranges("overwritten", device.certain, size)
    ranges("may_be_overwritten", device.possible, size)
  }

  /// Writes ranges of data or virtual blocks as an array of objects, with their sizes in bytes.
  mutating func ranges(_ name: String, _ ranges: [ClosedRange<UInt64>], _ size: BlockSize) {
    array(name) { json in
      for range in ranges {
        json.object { json in
          json.range(range)
          json.field("bytes", size.bytes(range))
        }
      }
    }
  }
}
