package import PersistentData

/// A restorer for a pool whose size is known only once it has all come, as through a pipe.
///
/// If an output is somewhat too small, the size needed is counted to the block. Far beyond that,
/// sizes are only added up, until no device is large enough: neither takes time or memory for what
/// the XML claims.
package struct MeasuredRestorer: ThinEvents {
  /// Blocks beyond the output that are still counted one by one: a moment's work.
  private static let countedBeyond: UInt64 = 1 << 16

  private let file: BlockFile
  private var estimate: SizeEstimate
  /// `nil` when the output is far too small.
  private var restorer: Restorer?

  /// As a `Restorer` has it, once it has ended.
  package private(set) var raisedTime: UInt32?

  /// Whatever `file` held is gone from here on.
  package init(_ file: BlockFile) throws(WriteError) {
    self.file = file
    estimate = SizeEstimate(largeFrom: file.blockCount + MeasuredRestorer.countedBeyond)
    restorer = try Restorer(file)
  }

  package mutating func begin(_ pool: PoolHeader) throws(WriteError) {
    try estimate.begin(pool)
    if estimate.isLarge { restorer = nil }
    try restorer?.begin(pool)
  }

  package mutating func beginShared(_ name: String) throws(WriteError) {
    try estimate.beginShared(name)
    try restorer?.beginShared(name)
  }

  package mutating func endShared() throws(WriteError) {
    estimate.endShared()
    try restorer?.endShared()
  }

  package mutating func beginDevice(_ device: DeviceHeader) throws(WriteError) {
    try estimate.beginDevice(device)
    try restorer?.beginDevice(device)
  }

  package mutating func endDevice() throws(WriteError) {
    estimate.endDevice()
    try restorer?.endDevice()
  }

  package mutating func run(_ run: MappingRun) throws(WriteError) {
    try estimate.run(run)
    if estimate.isLarge { restorer = nil }
    try restorer?.run(run)
  }

  package mutating func reference(_ name: String) throws(WriteError) {
    try estimate.reference(name)
    try restorer?.reference(name)
  }

  package mutating func end() throws(WriteError) {
    try estimate.end()
    guard var restorer else { throw tooSmall }
    // If it were held twice, all of it would be copied.
    self.restorer = nil
    try restorer.end()
    raisedTime = restorer.raisedTime
  }

  private var tooSmall: WriteError {
    .outputTooSmall(
      needed: estimate.neededBlocks(on: file.blockCount), available: file.blockCount)
  }
}
