/// A run of a leaf, or the part of it that lies in a region, small enough to be kept by the
/// million.
struct ReverseEntry: Sendable {
  private static let lengthShift: UInt64 = 2
  private static let blockShift: UInt64 = 10
  private static let dataShift: UInt64 = 32
  /// Data blocks that an offset can tell apart.
  static let reach: UInt64 = 1 << 32

  /// From the highest bit: the first data block, counted from the window's; the leaf; the length;
  /// whether the part is its leaf's first and may go on before it; whether it is the last, and may
  /// go on after it.
  let key: UInt64
  let virtualBegin: UInt64

  static let none = ReverseEntry(
    offset: 0, leaf: 0, length: 0, virtualBegin: 0, isFirst: false, isLast: false)

  init(
    offset: UInt64, leaf: UInt32, length: Int, virtualBegin: UInt64, isFirst: Bool, isLast: Bool
  ) {
    key =
      offset << ReverseEntry.dataShift | UInt64(leaf) << ReverseEntry.blockShift
      | UInt64(length) << ReverseEntry.lengthShift | (isFirst ? 2 : 0) | (isLast ? 1 : 0)
    self.virtualBegin = virtualBegin
  }

  var offset: UInt64 { key >> ReverseEntry.dataShift }
  var leaf: UInt32 { UInt32(key >> ReverseEntry.blockShift & (1 << 22 - 1)) }
  var length: UInt64 { key >> ReverseEntry.lengthShift & 0xFF }
  var isFirst: Bool { key & 2 != 0 }
  var isLast: Bool { key & 1 != 0 }
  var isInner: Bool { key & 3 == 0 }
}
