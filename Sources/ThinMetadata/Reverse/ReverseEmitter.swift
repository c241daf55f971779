internal import PersistentData

/// Finds the devices of sorted entries, and how far each device's run goes.
struct ReverseEmitter: Sendable {
  /// The most paths from leaves to roots that are kept.
  private static let maxPaths = 1 << 14

  var edges: LeafEdges

  private let regions: DataRegions
  private let paths: TreePaths
  private let devices: [UInt64]
  /// The device that a leaf belongs to, if there is only one.
  private let labels: LeafLabels
  /// Paths from leaves that are shared, or at whose edge a run may continue.
  private var known: [UInt32: [TreePaths.Path]] = [:]
  private var knownCount = 0
  /// Paths from the leaf that was asked for last.
  private var current: [TreePaths.Path] = []
  private var currentLeaf: UInt32?
  /// Runs that begin at one block.
  private var group: [ReverseRun] = []

  /// `roots`: by device.
  init(_ reader: PoolReader, _ roots: [MetadataBlock?], _ regions: DataRegions) {
    let blockCount = reader.usage.blockCount
    self.regions = regions
    edges = LeafEdges(blockCount: blockCount)
    paths = TreePaths(reader.mappings, roots: roots, blockCount: blockCount)
    devices = reader.devices.map(\.id)
    labels = LeafLabels(
      reader.mappings,
      roots.enumerated().compactMap { index, root in root.map { ($0, UInt32(index + 1)) } },
      blockCount: blockCount, joining: LeafLabels.same)
  }

  /// Gives `body` the runs that begin with the entries of some buckets of a pass.
  mutating func emit<Failure: Error>(
    _ buckets: Range<Int>, of pass: ReversePass, _ sorter: inout ReverseSorter,
    _ body: (ReverseRun) throws(Failure) -> Void
  ) throws(Failure) {
    for bucket in buckets {
      try emit(sorter.sort(bucket, of: pass.windows), from: pass.begin, body)
    }
  }

  /// Gives `body` the runs that begin with some entries, which are sorted by where they begin.
  private mutating func emit<Failure: Error>(
    _ entries: [ReverseEntry], from begin: UInt64, _ body: (ReverseRun) throws(Failure) -> Void
  ) throws(Failure) {
    for index in entries.indices {
      let entry = entries[index]
      let isLast = index + 1 == entries.count || entries[index + 1].offset != entry.offset
      // Nearly always one device has it, and nothing else begins here.
      if isLast, group.isEmpty, let device = onlyDevice(of: entry) {
        try body(run(entry, begin + entry.offset, entry.length, device: device))
        continue
      }
      append(entry, dataBegin: begin + entry.offset)
      if isLast { try tellGroup(body) }
    }
  }

  private mutating func tellGroup<Failure: Error>(
    _ body: (ReverseRun) throws(Failure) -> Void
  ) throws(Failure) {
    for index in group.indices.dropFirst() where group[index] < group[index - 1] {
      group.sort { $0 < $1 }
      break
    }
    for run in group { try body(run) }
    group.removeAll(keepingCapacity: true)
  }

  /// Adds the runs that begin with an entry: one for each device.
  private mutating func append(_ entry: ReverseEntry, dataBegin: UInt64) {
    if let device = onlyDevice(of: entry) {
      return group.append(run(entry, dataBegin, entry.length, device: device))
    }
    findPaths(to: entry.leaf)
    if entry.isInner {
      for index in current.indices {
        group.append(run(entry, dataBegin, entry.length, device: Int(current[index].tree)))
      }
      return
    }
    for path in current {
      if entry.isFirst, continues(path, dataBegin, entry.virtualBegin) { continue }
      let length =
        entry.isLast
        ? wholeLength(path, dataBegin, entry.virtualBegin, entry.length) : entry.length
      group.append(run(entry, dataBegin, length, device: Int(path.tree)))
    }
  }

  /// The device of an entry that only one has, and that ends in its leaf.
  private func onlyDevice(of entry: ReverseEntry) -> Int? {
    guard entry.isInner else { return nil }
    let label = labels[MetadataBlock(entry.leaf)]
    return label == LeafLabels.several || label == LeafLabels.none ? nil : Int(label) - 1
  }

  private func run(
    _ entry: ReverseEntry, _ dataBegin: UInt64, _ length: UInt64, device: Int
  ) -> ReverseRun {
    ReverseRun(
      dataBegin: dataBegin, length: length, device: devices[device],
      virtualBegin: entry.virtualBegin)
  }

  private mutating func findPaths(to leaf: UInt32) {
    if leaf == currentLeaf { return }
    currentLeaf = leaf
    if let found = known[leaf] {
      current = found
      return
    }
    if knownCount > ReverseEmitter.maxPaths {
      known.removeAll(keepingCapacity: true)
      knownCount = 0
    }
    current = paths.paths(to: leaf)
    knownCount += current.count + 1
    known[leaf] = current
  }

  /// Whether a run at the beginning of a leaf goes on from the leaf before.
  private func continues(_ path: TreePaths.Path, _ data: UInt64, _ virtual: UInt64) -> Bool {
    var path = path
    guard paths.step(&path, backwards: true), let edge = edges[path.leaf] else { return false }
    return edge.virtualEnd == virtual && edge.dataEnd == data
  }

  /// The length of a run that may go on in the next leaves, within its region.
  private func wholeLength(
    _ path: TreePaths.Path, _ data: UInt64, _ virtual: UInt64, _ length: UInt64
  ) -> UInt64 {
    var path = path
    var end = data + length
    var regionEnd = end
    regions.forEachPart(of: data..<end) { _, region in regionEnd = region.upperBound }
    while end < regionEnd, paths.step(&path), let edge = edges[path.leaf],
      edge.dataBegin == end, edge.virtualBegin == virtual &+ (end - data)
    {
      end += UInt64(edge.length)
      if !edge.isOnly { break }
    }
    return min(end, regionEnd) - data
  }
}
