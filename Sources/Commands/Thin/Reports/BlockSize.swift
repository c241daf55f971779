/// What data blocks come to in bytes.
struct BlockSize {
  /// Bytes in one.
  let perBlock: UInt64

  /// `nil` when there is no end to it.
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
