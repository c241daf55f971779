package import PersistentData

/// Writes a pool's metadata from its events, in one pass: leaves as they come, what refers to them
/// after them, the space maps from what was counted, the superblock last.
package struct Restorer: EntryEvents {
  private let writer: BlockWriter
  private let approves: (@Sendable (BlockFile) -> Bool)?
  private var rules = PoolRules()
  private var pool: PoolHeader?
  private var mappings: MappingTreeWriter
  private var shared: [SharedName: [WrittenNode]] = [:]
  private var sharedName = ""
  private var lists: DeviceListWriter
  private var device: DeviceHeader?

  /// The pool's time as it was raised to that of a newer mapping; `nil` when there is none.
  package var raisedTime: UInt32? {
    pool.flatMap { rules.latestTime > $0.time ? rules.latestTime : nil }
  }

  /// Whatever `file` held is gone from here on.
  package init(_ file: BlockFile) throws(WriteError) {
    let writer: BlockWriter
    do { writer = try BlockWriter(file) } catch { throw .output(error) }
    self.init(writer)
  }

  /// Writes nothing, and counts as for an output of `blockCount` blocks.
  package init(counting blockCount: UInt64) { self.init(BlockWriter(counting: blockCount)) }

  /// `approves`: whether the metadata may take effect, once all but its superblock is written; it
  /// reads the metadata as if the superblock were there, too.
  init(_ writer: BlockWriter, if approves: (@Sendable (BlockFile) -> Bool)? = nil) {
    self.approves = approves
    self.writer = writer
    mappings = MappingTreeWriter(writer, dataBlockCount: 0)
    lists = DeviceListWriter(writer)
  }

  /// Blocks that the pool takes, once it has ended.
  package var neededBlocks: UInt64 { writer.neededCount + mappings.mostUncountedBlocks }

  package mutating func begin(_ pool: PoolHeader) throws(WriteError) {
    try rules.begin(pool)
    self.pool = pool
    mappings = MappingTreeWriter(writer, dataBlockCount: pool.dataBlockCount)
  }

  package mutating func beginShared(_ name: String) throws(WriteError) {
    try rules.beginShared(name)
    sharedName = name
  }

  package mutating func endShared() throws(WriteError) {
    rules.endShared()
    shared[SharedName(sharedName)] = try write { (mappings) throws(IOError) in
      try mappings.finishLeaves()
    }
  }

  package mutating func beginDevice(_ device: DeviceHeader) throws(WriteError) {
    try rules.beginDevice(device)
    self.device = device
  }

  package mutating func endDevice() throws(WriteError) {
    guard var device else { return }
    // What was counted is what the kernel will find.
    device.details.mappedBlocks = rules.mappedBlocks
    rules.endDevice()
    let root = try write { (mappings) throws(IOError) in try mappings.finishTree() }
    writer.references.increment(UInt64(root.number))
    do throws(IOError) { try lists.push(device, root) } catch { throw .output(error) }
    self.device = nil
  }

  package mutating func run(_ run: MappingRun) throws(WriteError) {
    try rules.run(run)
    try write { (mappings) throws(IOError) in try mappings.push(run) }
  }

  package mutating func entries(
    _ keys: Span<UInt64>, _ values: Span<UInt64>
  ) throws(WriteError) {
    let highest = try write { (mappings) throws(IOError) in try mappings.push(keys, values) }
    try rules.entries(keys, highest: highest)
  }

  package mutating func reference(_ name: String) throws(WriteError) {
    try rules.reference(name)
    let leaves = shared[SharedName(name), default: []]
    try write { (mappings) throws(IOError) in try mappings.attach(leaves) }
  }

  package mutating func end() throws(WriteError) {
    try rules.end()
    guard let pool else { throw .rejected("missing superblock") }
    var isApproved = true
    do throws(IOError) {
      for leaf in shared.values.joined()
      where writer.references[UInt64(leaf.block.number)] == 0 {
        try mappings.uncount(leaf)
      }
      let (mappingRoot, detailsRoot) = try lists.finish()
      for root in [mappingRoot, detailsRoot] { writer.references.increment(UInt64(root.number)) }
      let maps = SpaceMapWriter(writer)
      let dataMap = try maps.writeData(mappings.dataCounts, blockCount: pool.dataBlockCount)
      let metadataMap = try maps.writeMetadata()
      if !writer.isTooSmall {
        let superblock = Superblock(
          time: raisedTime ?? pool.time, transactionID: pool.transactionID, dataSpaceMap: dataMap,
          metadataSpaceMap: metadataMap, mappingRoot: UInt64(mappingRoot.number),
          detailsRoot: UInt64(detailsRoot.number), dataBlockSectors: pool.dataBlockSectors,
          metadataBlockCount: writer.blockCount)
        isApproved = try writer.finish(.thinSuperblock, if: approves) {
          superblock.encode(into: &$0)
        }
      }
    } catch {
      throw .output(error)
    }
    if writer.isTooSmall {
      throw .outputTooSmall(needed: neededBlocks, available: writer.capacity)
    }
    if !isApproved { throw .notApproved }
  }

  /// Runs `body` on the writer of mapping trees; its failures are the output's.
  private mutating func write<Result>(
    _ body: (inout MappingTreeWriter) throws(IOError) -> Result
  ) throws(WriteError) -> Result {
    do throws(IOError) { return try body(&mappings) } catch { throw .output(error) }
  }
}
