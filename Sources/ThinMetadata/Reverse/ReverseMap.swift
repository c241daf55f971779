package import PersistentData
internal import Threads

/// Consecutive data blocks that a device maps to consecutive virtual blocks.
package struct ReverseRun: Hashable, Sendable {
  package let dataBegin: UInt64
  package let length: UInt64
  package let device: UInt64
  package let virtualBegin: UInt64

  package var dataEnd: UInt64 { dataBegin + length }
  package var virtualEnd: UInt64 { virtualBegin &+ length }

  /// In the order of a list: by where it begins and ends, then by device.
  static func < (one: ReverseRun, other: ReverseRun) -> Bool {
    (one.dataBegin, one.length, one.device, one.virtualBegin)
      < (other.dataBegin, other.length, other.device, other.virtualBegin)
  }
}

/// Which devices map some data blocks, and where.
///
/// Leaves are read in the order of the disk, but their mappings are wanted in the order of the data
/// device. So the runs of the leaves are kept and sorted, as many as there is room for; if there
/// are more, the leaves are read again for the later ones. Memory does not grow with the answer:
/// the devices of a run are found on the way from its leaf up to the roots when it is emitted.
package struct ReverseMap {
  /// Bytes for what is known of the pool and for runs of leaves.
  private static let memory = 39 << 20
  private static let bytesPerLeaf = 64
  private static let bytesPerEntry = 12
  /// The fewest runs of leaves that are kept at once, of 16 bytes each.
  private static let minCapacity = 1 << 19

  private let regions: DataRegions
  private let capacity: Int
  private var reader: PoolReader
  private var emitter: ReverseEmitter
  private var histogram: ReverseHistogram

  /// `reader`: its devices are those that are asked about. `capacity`: runs of leaves that are kept
  /// at once, if not as many as there is room for.
  package init(_ reader: PoolReader, _ regions: DataRegions, capacity: Int? = nil) {
    // No mapping that is taken leads beyond the data device.
    self.regions = regions.clamped(to: reader.limits.dataBlockCount)
    let known =
      ReverseMap.bytesPerLeaf * reader.mappings.leafCount
      + ReverseMap.bytesPerEntry * reader.mappings.skeleton.children.count
    self.capacity =
      capacity
      ?? max(
        ReverseMap.minCapacity,
        (ReverseMap.memory - known) / MemoryLayout<ReverseEntry>.stride)
    self.reader = reader
    let roots = reader.devices.map { device in
      device.root.flatMap { reader.mappings.isUsable($0) ? $0 : nil }
    }
    emitter = ReverseEmitter(reader, roots, self.regions)
    histogram = ReverseHistogram(self.regions)
  }

  /// What is wrong with what was looked at; ask at the end.
  package var findings: Findings { reader.findings }

  /// Devices whose mappings may be incomplete; ask at the end.
  package var devicesNotWhole: [UInt64] { reader.devicesNotWhole }

  /// Gives `body` all runs in the regions, cut to these, in order.
  package mutating func forEachRun<Failure: Error>(
    _ body: (ReverseRun) throws(Failure) -> Void
  ) throws(Failure) {
    try forEachPass { (emitter, pass) throws(Failure) in
      var sorter = ReverseSorter()
      try emitter.emit(pass.buckets, of: pass, &sorter, body)
    }
  }

  /// Writes all runs in the regions, in order, a line each; on all cores.
  package mutating func write(
    to sink: ByteSink, names: VolumeNames
  ) throws(ByteSink.Failure) {
    try forEachPass { (emitter, pass) throws(ByteSink.Failure) in
      try emitter.write(pass, to: sink, names)
    }
  }

  private mutating func forEachPass<Failure: Error>(
    _ body: (inout ReverseEmitter, ReversePass) throws(Failure) -> Void
  ) throws(Failure) {
    guard !regions.ranges.isEmpty else { return }
    var begin = regions.first
    var end = regions.end
    var isFirstPass = true
    while begin < regions.end {
      let windows = collect(from: begin, to: end, isFirstPass)
      isFirstPass = false
      end = windows.map(\.end).min() ?? regions.end
      if windows.contains(where: \.isOverfull) {
        end = begin + (windows.first?.width ?? 1)
        continue
      }
      try body(&emitter, ReversePass(windows: windows, begin: begin, end: end))
      begin = end
      if begin < regions.end { end = histogram.cut(from: begin, room: capacity * 7 / 8) }
    }
  }

  /// Reads the leaves and returns what was collected of the window.
  private mutating func collect(
    from begin: UInt64, to end: UInt64, _ isFirstPass: Bool
  ) -> [ReverseBuckets] {
    let limits = reader.limits
    let (regions, capacity) = (regions, max(2, capacity / Workers.coreCount))
    var findings = Findings()
    // Each worker gets about as many.
    let leafCount = reader.mappings.leafCount / Workers.coreCount * 3 / 2
    let visitors = reader.mappings.readLeaves(where: reader.isLive, findings: &findings) {
      ReverseVisitor(
        regions, from: begin, to: end, capacity: capacity, leaf: MappingLeaf(limits),
        isFirstPass: isFirstPass, leafCount: leafCount)
    }
    for index in visitors.indices {
      guard isFirstPass, let counted = visitors[index].histogram else { continue }
      histogram.add(counted)
      emitter.edges.add(visitors[index].edges)
      findings.merge(visitors[index].findings)
    }
    if isFirstPass { reader.findings.merge(findings) }
    return visitors.map(\.buckets)
  }
}
