extension ArrayBlock {
  /// A damaged array block with the one bit turned back that was flipped; `nil` unless it then was
  /// written for `home`.
  static func corrected(_ bytes: RawSpan, home: MetadataBlock) -> BlockBuffer? {
    guard let contents = SingleBitError.corrected(bytes, as: .array),
      ArrayBlock(contents[0]).block == UInt64(home.number)
    else { return nil }
    return contents
  }
}
