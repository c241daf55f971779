package import PersistentData

/// Why metadata could not be written.
package enum RestoreError: Error {
  /// The pool described makes no sense; what is wrong, as a sentence.
  case rejected(String)
  case output(IOError)
  /// The output has too few blocks; everything has been counted, nothing written that could be
  /// taken for metadata.
  case outputTooSmall(needed: UInt64, available: UInt64)
}

/// Writes a pool's metadata from its events, in one pass: leaves as they come, what refers to them
/// after them, the space maps from what was counted, the superblock last.
package struct Restorer: ThinEvents {
  private struct SharedLeaves {
    let nodes: [WrittenNode]
    /// The highest virtual block.
    let lastKey: UInt64?
  }

  private let writer: BlockWriter
  private var pool: PoolHeader?
  private var mappings: MappingTreeWriter
  private var shared: [String: SharedLeaves] = [:]
  private var topLevel: TreeWriter<UInt64>
  private var details: TreeWriter<DeviceDetails>
  private var device: DeviceHeader?
  private var sharedName: String?
  private var mappedBlocks: UInt64 = 0
  /// The highest virtual block of the device or shared run so far.
  private var lastKey: UInt64?
  private var lastDevice: UInt64?

  /// Whatever `file` held is gone once the pool begins.
  package init(_ file: BlockFile) throws(RestoreError) {
    do { writer = try BlockWriter(file) } catch { throw .output(error) }
    mappings = MappingTreeWriter(writer)
    topLevel = TreeWriter(writer)
    details = TreeWriter(writer)
  }

  package mutating func begin(_ pool: PoolHeader) throws(RestoreError) {
    guard self.pool == nil else { throw .rejected("duplicated superblock") }
    guard Superblock.isPossible(dataBlockSectors: pool.dataBlockSectors) else {
      throw .rejected(
        "invalid data block size: \(pool.dataBlockSectors) sectors are not a multiple of 128 "
          + "(64 KiB), at most \(Superblock.dataBlockSectorsMaximum) (1 GiB)")
    }
    // Bitmaps for so many blocks must fit beside everything else.
    let room = MetadataBlock.maximumCount * UInt64(Bitmap.entryCount)
    guard pool.dataBlockCount <= room else {
      throw .rejected("nr_data_blocks is \(pool.dataBlockCount); metadata can count \(room) at most")
    }
    self.pool = pool
    do throws(IOError) {
      mappings.dataCounts = try RefCounts(count: pool.dataBlockCount)
    } catch {
      throw .output(error)
    }
  }

  package mutating func beginShared(_ name: String) throws(RestoreError) {
    guard pool != nil else { throw .rejected("missing superblock") }
    guard device == nil, sharedName == nil else {
      throw .rejected("<def> must not stand within <def> or <device>")
    }
    guard shared[name] == nil else { throw .rejected("there are two <def> named '\(name)'") }
    sharedName = name
    lastKey = nil
  }

  package mutating func endShared() throws(RestoreError) {
    guard let name = sharedName else { return }
    let nodes = try write { (mappings) throws(IOError) in try mappings.finishLeaves() }
    shared[name] = SharedLeaves(nodes: nodes, lastKey: lastKey)
    sharedName = nil
  }

  package mutating func beginDevice(_ device: DeviceHeader) throws(RestoreError) {
    guard pool != nil else { throw .rejected("missing superblock") }
    guard self.device == nil, sharedName == nil else {
      throw .rejected("<device> must not stand within <def> or <device>")
    }
    guard device.id <= DeviceDetails.deviceIDMaximum else {
      throw .rejected("dev_id \(device.id) is larger than \(DeviceDetails.deviceIDMaximum)")
    }
    if let lastDevice, device.id <= lastDevice {
      throw .rejected("device \(device.id) must not follow device \(lastDevice): ids ascend")
    }
    self.device = device
    lastDevice = device.id
    mappedBlocks = 0
    lastKey = nil
  }

  package mutating func endDevice() throws(RestoreError) {
    guard var device else { return }
    let root = try write { (mappings) throws(IOError) in try mappings.finishTree() }
    // What was counted is what the kernel will find.
    device.details.mappedBlocks = mappedBlocks
    writer.references.increment(UInt64(root.number))
    do throws(IOError) {
      try topLevel.push(device.id, UInt64(root.number))
      try details.push(device.id, device.details)
    } catch {
      throw .output(error)
    }
    self.device = nil
  }

  package mutating func run(_ run: MappingRun) throws(RestoreError) {
    guard device != nil || sharedName != nil else {
      throw .rejected("mapping tags must appear within a <def> or <device> tag")
    }
    try check(run)
    lastKey = run.virtualLast
    mappedBlocks += run.length
    try write { (mappings) throws(IOError) in try mappings.push(run) }
  }

  package mutating func reference(_ name: String) throws(RestoreError) {
    guard device != nil else { throw .rejected("<ref> must stand within <device>") }
    guard let leaves = shared[name] else { throw .rejected("couldn't find sub tree '\(name)'") }
    guard let first = leaves.nodes.first, let last = leaves.lastKey else { return }
    try checkOrder(first.firstKey)
    lastKey = last
    mappedBlocks += leaves.nodes.reduce(0) { $0 + UInt64($1.entryCount) }
    try write { (mappings) throws(IOError) in try mappings.attach(leaves.nodes) }
  }

  package mutating func end() throws(RestoreError) {
    guard let pool, let dataCounts = mappings.dataCounts else { throw .rejected("missing superblock") }
    do throws(IOError) {
      for leaf in shared.values.flatMap(\.nodes)
      where writer.references[UInt64(leaf.block.number)] == 0 {
        try mappings.uncount(leaf)
      }
      let mappingRoot = try topLevel.finish()
      let detailsRoot = try details.finish()
      for root in [mappingRoot, detailsRoot] { writer.references.increment(UInt64(root.number)) }
      let maps = SpaceMapWriter(writer)
      let dataMap = try maps.writeData(dataCounts, blockCount: pool.dataBlockCount)
      let metadataMap = try maps.writeMetadata()
      if !writer.isTooSmall {
        let superblock = Superblock(
          time: pool.time, transactionID: pool.transactionID, dataSpaceMap: dataMap,
          metadataSpaceMap: metadataMap, mappingRoot: UInt64(mappingRoot.number),
          detailsRoot: UInt64(detailsRoot.number), dataBlockSectors: pool.dataBlockSectors,
          metadataBlockCount: writer.blockCount)
        try writer.finish(.thinSuperblock) { superblock.encode(into: &$0) }
      }
    } catch {
      throw .output(error)
    }
    if writer.isTooSmall {
      throw .outputTooSmall(needed: writer.neededCount, available: writer.blockCount)
    }
  }

  private func check(_ run: MappingRun) throws(RestoreError) {
    guard run.length > 0 else { throw .rejected("a mapping has no length") }
    guard !run.virtualBegin.addingReportingOverflow(run.length).overflow else {
      throw .rejected("virtual blocks from \(run.virtualBegin) on go beyond 2^64")
    }
    guard run.time <= Mapping.timeMaximum else {
      throw .rejected("time \(run.time) is larger than \(Mapping.timeMaximum)")
    }
    try checkOrder(run.virtualBegin)
    let count = pool?.dataBlockCount ?? 0
    guard run.dataBegin < count, run.length <= count - run.dataBegin else {
      throw .rejected(
        "block out of bounds: data blocks from \(run.dataBegin) on, but the data device has "
          + "\(count)")
    }
  }

  private func checkOrder(_ first: UInt64) throws(RestoreError) {
    if let lastKey, first <= lastKey {
      throw .rejected("virtual block \(first) must not follow \(lastKey): mappings ascend")
    }
  }

  /// Runs `body` on the writer of mapping trees; its failures are the output's.
  private mutating func write<Result>(
    _ body: (inout MappingTreeWriter) throws(IOError) -> Result
  ) throws(RestoreError) -> Result {
    do throws(IOError) { return try body(&mappings) } catch { throw .output(error) }
  }
}

extension DeviceDetails: NodeValue {
  package static var encodedSize: Int { Layout.size }
}
