package import PersistentData

/// Makes a pool of a given shape and emits it as events; the same shape always gives the same pool.
package struct PoolGenerator: Sendable {
  /// An upper bound of the metadata blocks that the pool needs.
  package let neededBlocks: UInt64
  /// Data blocks that are mapped, each by one device or by several.
  package let mappedDataBlocks: UInt64

  private let shape: PoolShape
  private let places: DataPlaces
  private let dataBlockCount: UInt64

  /// `shape`: one without a problem.
  package init(_ shape: PoolShape) {
    precondition(shape.problem == nil)
    self.shape = shape
    var rehearsal = Generation(shape, .sequential)
    if shape.dataOrder == .permuted || shape.changedPerMillion > 0 {
      var nobody = NoEvents()
      rehearsal.devices(into: &nobody)
      mappedDataBlocks = rehearsal.places.takenBlocks
    } else {
      mappedDataBlocks = shape.writtenDataBlocks
    }
    switch shape.dataOrder {
    case .sequential:
      places = .sequential
      dataBlockCount = mappedDataBlocks + mappedDataBlocks / 8 + 1024
    case .permuted:
      let runs = rehearsal.places.takenRuns
      let count = runs + runs / 8 + 16
      places = DataPlaces(count: count, size: shape.longestRun)
      // If the product overflows, it is more than can be written, which the writer reports.
      let (product, overflow) = count.multipliedReportingOverflow(by: shape.longestRun)
      dataBlockCount = overflow ? .max : product
    }
    neededBlocks = shape.blocksAtMost(
      dataBlockCount: dataBlockCount, mappedDataBlocks: mappedDataBlocks,
      copiedLeaves: rehearsal.copiedLeaves)
  }

  /// Blocks of a metadata device on which the pool fits with some to spare.
  package var roomyBlocks: UInt64 {
    NewSize.roomy(for: neededBlocks, besides: Bitmap.count(for: neededBlocks) + 1)
  }

  /// Writes the pool's metadata to `file`.
  package func write(to file: BlockFile) throws(WriteError) {
    var restorer = try Restorer(file)
    try write(into: &restorer)
  }

  /// Emits the pool as events.
  package func write<Events: ThinEvents & ~Copyable>(
    into events: inout Events
  ) throws(Events.Failure) {
    try events.begin(
      PoolHeader(
        time: UInt32(shape.origins * shape.snapshots), transactionID: shape.deviceCount,
        dataBlockSectors: shape.dataBlockSectors, dataBlockCount: dataBlockCount))
    var generation = Generation(shape, places)
    try generation.devices(into: &events)
    try events.end()
  }
}

/// One pass through a pool.
private struct Generation {
  private let shape: PoolShape
  private var random: SplitMix
  private(set) var places: DataPlaces
  /// Leaves that snapshots have of their own because some blocks changed.
  private(set) var copiedLeaves: UInt64 = 0
  /// Where the segments of the current origin begin, to go through them again.
  private var segmentStarts: [SegmentRuns] = []

  init(_ shape: PoolShape, _ places: DataPlaces) {
    self.shape = shape
    self.places = places
    random = SplitMix(seed: shape.seed)
  }

  mutating func devices<Events: ThinEvents & ~Copyable>(
    into events: inout Events
  ) throws(Events.Failure) {
    for origin in 0..<shape.origins {
      if shape.snapshots > 0 {
        segmentStarts = []
        for segment in 0..<shape.segments { try shared(origin, segment, into: &events) }
      }
      for snapshot in 0...shape.snapshots { try device(origin, snapshot, into: &events) }
    }
  }

  /// Emits what an origin and its snapshots share of a segment.
  private mutating func shared<Events: ThinEvents & ~Copyable>(
    _ origin: UInt64, _ segment: UInt64, into events: inout Events
  ) throws(Events.Failure) {
    if shape.changedPerMillion > 0 { segmentStarts.append(begin(segment, time: 0)) }
    var runs = begin(segment, time: 0)
    var part: UInt64 = 0
    while let size = nextPart(runs.left) {
      try events.beginShared(name(origin, segment, part))
      try emit(size, of: &runs, into: &events)
      try events.endShared()
      part += 1
    }
    end(runs)
  }

  /// Emits a snapshot, or with the number 0 the origin.
  ///
  /// All origins come first in time, then snapshot by snapshot. An origin's last snapshot is
  /// newer than its mappings, and so it and its snapshots count as sharing them; what a snapshot
  /// has of its own is no older than the snapshot.
  private mutating func device<Events: ThinEvents & ~Copyable>(
    _ origin: UInt64, _ snapshot: UInt64, into events: inout Events
  ) throws(Events.Failure) {
    let id = origin * (shape.snapshots + 1) + snapshot
    let latest = snapshot == 0 ? shape.snapshots : snapshot
    let time = latest == 0 ? 0 : UInt32(origin * shape.snapshots + latest)
    try events.beginDevice(
      DeviceHeader(
        id: id,
        details: DeviceDetails(
          mappedBlocks: shape.mappingsPerDevice, transactionID: id,
          creationTime: snapshot == 0 ? 0 : time, snapshottedTime: time)))
    let own = snapshot == 0 ? [] : random.choose(shape.divergedSegments, below: shape.segments)
    for segment in 0..<shape.segments {
      if shape.snapshots == 0 || own.contains(segment) {
        var runs = begin(segment, time: snapshot == 0 ? 0 : time)
        try emit(shape.mappings, of: &runs, into: &events)
        end(runs)
      } else if snapshot == 0 || shape.changedPerMillion == 0 {
        try references(origin, segment, into: &events)
      } else {
        try changed(origin, segment, time: time, into: &events)
      }
    }
    try events.endDevice()
  }

  private func references<Events: ThinEvents & ~Copyable>(
    _ origin: UInt64, _ segment: UInt64, into events: inout Events
  ) throws(Events.Failure) {
    var left = shape.mappings
    var part: UInt64 = 0
    while let size = nextPart(left) {
      try events.reference(name(origin, segment, part))
      left -= size
      part += 1
    }
  }

  /// Emits a segment of which some blocks have changed: parts without any of these are shared.
  private mutating func changed<Events: ThinEvents & ~Copyable>(
    _ origin: UInt64, _ segment: UInt64, time: UInt32, into events: inout Events
  ) throws(Events.Failure) {
    var original = segmentStarts[Int(segment)]
    var part: UInt64 = 0
    while let size = nextPart(original.left) {
      let changes = (0..<size).map { _ in
        random.number(below: 1_000_000) < shape.changedPerMillion
      }
      if changes.contains(true) {
        copiedLeaves += (size - 1) / shape.leafMappings + 1
        for isChanged in changes {
          let old = original.next(1)
          try events.run(
            MappingRun(
              virtualBegin: old.virtualBegin, dataBegin: isChanged ? places.take(1) : old.dataBegin,
              length: 1, time: isChanged ? time : old.time))
        }
      } else {
        try events.reference(name(origin, segment, part))
        var passed: UInt64 = 0
        while passed < size { passed += original.next(size - passed).length }
      }
      part += 1
    }
  }

  private func emit<Events: ThinEvents & ~Copyable>(
    _ count: UInt64, of runs: inout SegmentRuns, into events: inout Events
  ) throws(Events.Failure) {
    var said: UInt64 = 0
    while said < count {
      let run = runs.next(count - said)
      try events.run(run)
      said += run.length
    }
  }

  private func name(_ origin: UInt64, _ segment: UInt64, _ part: UInt64) -> String {
    shape.changedPerMillion == 0 ? "\(origin).\(segment)" : "\(origin).\(segment).\(part)"
  }

  /// Mappings of the next part, which is shared as a whole or not at all, when so many are left;
  /// `nil` when none are. Where single blocks change, a part is a leaf, with what is too little for
  /// one more leaf added.
  private func nextPart(_ left: UInt64) -> UInt64? {
    if left == 0 { return nil }
    if shape.changedPerMillion == 0 { return left }
    return left < shape.leafMappings + shape.leafMappings / 3 ? left : shape.leafMappings
  }

  /// The runs of a segment, at fresh data blocks.
  private func begin(_ segment: UInt64, time: UInt32) -> SegmentRuns {
    SegmentRuns(shape, segment, time: time, random, places)
  }

  /// Continues after a segment.
  private mutating func end(_ runs: SegmentRuns) {
    random = runs.random
    places = runs.places
  }
}

/// Takes a pool's events, and does nothing.
private struct NoEvents: ThinEvents {
  typealias Failure = Never

  mutating func begin(_ pool: PoolHeader) {}
  mutating func beginShared(_ name: String) {}
  mutating func endShared() {}
  mutating func beginDevice(_ device: DeviceHeader) {}
  mutating func endDevice() {}
  mutating func run(_ run: MappingRun) {}
  mutating func reference(_ name: String) {}
  mutating func end() {}
}
