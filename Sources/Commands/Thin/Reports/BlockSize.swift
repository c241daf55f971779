/// The size of data blocks in bytes.
struct BlockSize {
  /// Bytes in one.
  let perBlock: UInt64

  /// `nil` if the range has no end.
  func bytes(_ range: ClosedRange<UInt64>) -> UInt64? {
    range.upperBound == .max ? nil : bytes(range.upperBound - range.lowerBound + 1)
  }

  func bytes(_ count: UInt64) -> UInt64? {
    let product = count.multipliedReportingOverflow(by: perBlock)
    return product.overflow ? nil : product.partialValue
  }
}

extension BlockSize {
  /// `sectors`: in a data block.
  init(sectors: UInt32) { self.init(perBlock: UInt64(sectors) * 512) }
}
