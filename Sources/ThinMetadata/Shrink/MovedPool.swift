package import MetadataXML
package import PersistentData

/// Writes the metadata of a pool whose data blocks have been moved, and reads it once more before
/// it takes effect.
package struct MovedPool: Sendable {
  private let pool: CheckedPool
  private let plan: MovePlan
  private let reader: PoolReader

  package init(_ pool: CheckedPool, _ plan: MovePlan) throws(DumpError) {
    self.pool = pool
    self.plan = plan
    reader = try PoolReader.open(pool.file, choosing: RootChoice())
  }

  /// Metadata blocks that the pool takes on another device, of `blockCount` blocks.
  package func neededBlocks(on blockCount: UInt64) throws(WriteError) -> UInt64 {
    try replay(BlockWriter(counting: blockCount)).neededBlocks
  }

  /// Metadata blocks that have to be free to write beside the old metadata, and those that are.
  package func blocksInPlace() throws(WriteError) -> (needed: UInt64, free: UInt64) {
    let unused = RankedBitset(pool.unusedMetadata())
    let writer = BlockWriter(beside: pool.file, in: unused, isCounting: true)
    do throws(WriteError) { return (try replay(writer).neededBlocks, unused.count) } catch {
      guard case .outputTooSmall(let needed, _) = error else { throw error }
      return (needed, unused.count)
    }
  }

  /// Writes to another device. Whatever it held is gone.
  package func write(to file: BlockFile) throws(WriteError) {
    let writer: BlockWriter
    do throws(IOError) { writer = try BlockWriter(file) } catch { throw .output(error) }
    _ = try replay(writer)
  }

  /// Writes to blocks that the old metadata does not use. The old is whole until the very last
  /// write, which replaces the superblock; the new is from then on.
  package func writeInPlace() throws(WriteError) {
    let unused = RankedBitset(pool.unusedMetadata())
    _ = try replay(BlockWriter(beside: pool.file, in: unused))
  }

  private func replay(_ writer: BlockWriter) throws(WriteError) -> Restorer {
    let plan = plan
    let restorer = Restorer(writer) { file in MovedPool.isAsPlanned(file, plan) }
    var events = MovedEvents(plan.moves, dataBlockCount: plan.newCount, to: restorer)
    try reader.replay(
      reader.header,
      reader.moveableDevices, into: &events, for: "writing the new metadata")
    return events.takeNext()
  }

  private static func isAsPlanned(_ file: BlockFile, _ plan: MovePlan) -> Bool {
    guard let pool = CheckedPool(file, CheckReport(of: file, CheckScope())), !pool.hasLeaks
    else { return false }
    return pool.dataBlockCount == plan.newCount
      && UInt64(pool.usedData.count) == plan.usedCount
  }
}

extension PoolReader {
  /// The devices of a sound pool, in the form that events need.
  var moveableDevices: [(header: DeviceHeader, root: MetadataBlock?)] {
    devices.compactMap { device in
      device.details.map { (DeviceHeader(id: device.id, details: $0), device.root) }
    }
  }
}

/// Writes a pool whose data blocks have been moved, from XML to XML.
package enum MovedXML {
  /// Reads a pool from `source`, which has been read once, and writes it to `sink`.
  package static func write(
    _ source: ByteSource, _ plan: MovePlan, to sink: ByteSink
  ) throws(XMLError) {
    let events = MovedEvents(
      plan.moves, dataBlockCount: plan.newCount, to: XMLEvents(sink))
    _ = try ThinXMLReader.read(source, overriding: PoolOverrides(), into: events)
  }
}
