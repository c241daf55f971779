/// How a device takes discards.
///
/// Source: Linux, Documentation/ABI/stable/sysfs-block, `queue/discard_*` and `discard_alignment`.
package struct DiscardLimits: Sendable {
  /// The unit of discards, in bytes; a discard of less has no effect. 0 if unknown.
  package let granularityBytes: UInt64
  /// Where the first such unit starts, in bytes.
  package let alignmentBytes: UInt64
  package let takesDiscards: Bool

  /// No known limits: the file system handles holes.
  static let ofFile = DiscardLimits(granularityBytes: 0, alignmentBytes: 0, takesDiscards: true)

  package init(granularityBytes: UInt64, alignmentBytes: UInt64, takesDiscards: Bool) {
    self.granularityBytes = granularityBytes
    self.alignmentBytes = alignmentBytes
    self.takesDiscards = takesDiscards
  }

  /// `number`: a block device's, as in `st_rdev`.
  init(ofDevice number: UInt64) {
    let folder = "/sys/dev/block/\(Storage.name(ofDevice: number))"
    let isPartition = SystemFile.text("\(folder)/partition") != nil
    let queue = isPartition ? "\(folder)/../queue" : "\(folder)/queue"
    self.init(
      granularityBytes: SystemFile.number("\(queue)/discard_granularity") ?? 0,
      alignmentBytes: SystemFile.number("\(folder)/discard_alignment") ?? 0,
      // If the kernel doesn't say, a discard is tried.
      takesDiscards: SystemFile.number("\(queue)/discard_max_bytes") != 0)
  }

  /// How many of these bytes the device can take back: only whole units.
  package func effectiveBytes(of bytes: Range<UInt64>) -> UInt64 {
    guard granularityBytes > 1 else { return bytes.upperBound - bytes.lowerBound }
    let offset = alignmentBytes % granularityBytes
    let (lower, upper) = (
      Swift.max(bytes.lowerBound, offset) - offset, Swift.max(bytes.upperBound, offset) - offset
    )
    let first = lower / granularityBytes + (lower % granularityBytes == 0 ? 0 : 1)
    let end = upper / granularityBytes
    return end > first ? (end - first) * granularityBytes : 0
  }
}
