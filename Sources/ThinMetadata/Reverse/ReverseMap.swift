package import PersistentData
internal import Threads

/// Data blocks, one after the other, that a device maps to as many virtual blocks.
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
/// Leaves are read in the order of the disk, and what they map is wanted in the order of the data
/// device. So the runs of the leaves are kept and sorted, as many as there is room for; if there
/// are more, the leaves are read again for those behind. Memory does not grow with the answer:
/// whose a run is, is found on the way from its leaf up to the roots when it is told.
package struct ReverseMap {
  /// Runs of leaves that are kept at once, of 16 bytes each.
  package static let usualCapacity = 2 << 20

  private let regions: DataRegions
  private let capacity: Int
  private var reader: PoolReader
  private var teller: ReverseTeller
  private var histogram: ReverseHistogram

  /// `reader`: its devices are those that are asked about.
  package init(_ reader: PoolReader, _ regions: DataRegions, capacity: Int = usualCapacity) {
    // No mapping that is taken leads beyond the data device.
    self.regions = regions.clamped(to: reader.limits.dataBlockCount)
    self.capacity = capacity
    self.reader = reader
    let roots = reader.devices.map { device in
      device.root.flatMap { reader.mappings.isUsable($0) ? $0 : nil }
    }
    teller = ReverseTeller(reader, roots, self.regions)
    histogram = ReverseHistogram(self.regions)
  }

  /// What is wrong with what was looked at; ask at the end.
  package var findings: Findings { reader.findings }

  /// Devices of which mappings may be missing; ask at the end.
  package var devicesNotWhole: [UInt64] { reader.devicesNotWhole }

  /// Gives `body` all runs in the regions, as long as they go there, in order.
  package mutating func forEachRun<Failure: Error>(
    _ body: (ReverseRun) throws(Failure) -> Void
  ) throws(Failure) {
    guard !regions.ranges.isEmpty else { return }
    var begin = regions.first
    var end = regions.end
    var isFirstPass = true
    while begin < regions.end {
      let visitors = collect(from: begin, to: end, isFirstPass)
      if let reached = visitors.map(\.end).min() { end = reached }
      try teller.tell(visitors.map(\.entries), from: begin, body)
      begin = visitors.isEmpty ? regions.end : end
      if begin < regions.end { end = histogram.cut(from: begin, room: capacity * 3 / 4) }
      isFirstPass = false
    }
  }

  /// Reads the leaves and returns what was collected of the window, sorted, all to one end.
  private mutating func collect(
    from begin: UInt64, to end: UInt64, _ isFirstPass: Bool
  ) -> [ReverseVisitor] {
    let limits = reader.limits
    let (regions, capacity) = (regions, max(2, capacity / Workers.coreCount))
    var findings = Findings()
    var visitors = reader.mappings.readLeaves(where: reader.isLive, findings: &findings) {
      ReverseVisitor(
        regions, from: begin, to: end, capacity: capacity, leaf: MappingLeaf(limits),
        isFirstPass: isFirstPass)
    }
    let end = visitors.map(\.end).min() ?? end
    for index in visitors.indices {
      visitors[index].sort()
      visitors[index].drop(from: end)
      guard isFirstPass, let counted = visitors[index].histogram else { continue }
      histogram.add(counted)
      teller.edges.add(visitors[index].firsts, visitors[index].lasts)
      visitors[index].forgetEdges()
      findings.merge(visitors[index].findings)
    }
    if isFirstPass { reader.findings.merge(findings) }
    return visitors
  }
}
