/// Sizes in words.
package enum ByteCount {
  package static func text(sectors: UInt32) -> String { text(UInt64(sectors) * 512) }

  /// In the largest binary unit that gives at least 10, rounded.
  package static func text(_ bytes: UInt64) -> String {
    var unit = 0
    var size: UInt64 = 1
    while bytes / size >= 1024 * 10, unit < 5 {
      size *= 1024
      unit += 1
    }
    let rounded = bytes / size + (bytes % size >= size - size / 2 ? 1 : 0)
    return "\(size == 1 ? bytes : rounded) \(["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"][unit])"
  }
}
