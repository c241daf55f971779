import PersistentData
import TestSupport
import ThinMetadata

/// A pool made up at random, as events and as what they amount to.
///
/// Virtual blocks are cut into segments. A device has in each segment a shared run, or mappings
/// of its own, or nothing; so shared runs come at all places, after few mappings and after many,
/// and some are never referred to.
struct RandomPool {
  private enum Part {
    case run(MappingRun)
    case shared(Int)
  }

  let header: PoolHeader
  /// Whether it has trees of more than two levels.
  let isLarge: Bool
  private var sharedRuns: [[MappingRun]] = []
  private var devices: [(header: DeviceHeader, parts: [Part])] = []

  /// Numbers of mappings round which leaves and nodes begin to differ: of a third of a leaf, of
  /// one leaf, of two.
  private static let sizes = [
    1, 2, 3, 50, 83, 84, 85, 167, 168, 169, 251, 252, 253, 335, 336, 337, 503, 504, 505, 588, 1000,
  ]
  /// The same of leaves below an internal node.
  static let largeSizes = [83, 84, 85, 167, 168, 252, 253, 336].map { $0 * 252 }

  /// `largeSegments`: so many segments are worth several internal nodes.
  init(_ random: inout SeededRandom, largeSegments: Int = 0) {
    let dataBlocks = random.number(50...40_000) as UInt64
    let pool = PoolHeader(
      time: random.number(0...20), transactionID: random.number(0...99),
      dataBlockSectors: 128 * random.number(1...8),
      dataBlockCount: largeSegments > 0 ? 200_000 : dataBlocks)
    header = pool
    isLarge = largeSegments > 0
    var segments: [(begin: UInt64, size: Int)] = []
    var next: UInt64 = random.once(in: 2) ? 0 : random.number(0...1_000_000)
    for index in 0..<random.number(1...8) + largeSegments {
      let choices = index < largeSegments ? RandomPool.largeSizes : RandomPool.sizes
      let size = choices.randomElement(using: &random) ?? 1
      segments.append((next, size))
      next += 2 * UInt64(size) + random.number(0...3)
    }
    sharedRuns = segments.map { RandomPool.runs($0.begin, $0.size, pool, &random) }
    var id: UInt64 = 0
    for _ in 0..<random.number(0...9) {
      id += random.number(1...5)
      var parts: [Part] = []
      for (index, segment) in segments.enumerated() {
        switch random.number(0...9) {
        case 0...4: parts.append(.shared(index))
        case 5...7:
          let size = RandomPool.sizes.randomElement(using: &random) ?? 1
          parts += RandomPool.runs(segment.begin, min(size, segment.size), pool, &random)
            .map { .run($0) }
        default: break
        }
      }
      let creationTime = random.number(0...pool.time)
      let details = DeviceDetails(
        mappedBlocks: 0, transactionID: random.number(0...pool.transactionID),
        creationTime: creationTime, snapshottedTime: random.number(creationTime...pool.time))
      devices.append((DeviceHeader(id: id, details: details), parts))
    }
  }

  /// Runs with `count` mappings together; no more than as many again lie between them.
  private static func runs(
    _ begin: UInt64, _ count: Int, _ pool: PoolHeader, _ random: inout SeededRandom
  ) -> [MappingRun] {
    var runs: [MappingRun] = []
    var next = begin
    var gaps = UInt64(count)
    var rest = UInt64(count)
    let longest: UInt64 = random.once(in: 2) ? 3 : 400
    while rest > 0 {
      let gap = random.once(in: 3) ? min(gaps, random.number(0...4)) : 0
      gaps -= gap
      next += gap
      let length = min(rest, pool.dataBlockCount, random.number(1...longest))
      runs.append(
        MappingRun(
          virtualBegin: next, dataBegin: random.number(0...pool.dataBlockCount - length),
          length: length, time: random.number(0...pool.time)))
      next += length
      rest -= length
    }
    return runs
  }

  /// Says the pool. A shared run comes right before the first device, whoever refers to it.
  func play<Events: ThinEvents & ~Copyable>(into events: inout Events) throws(Events.Failure) {
    try events.begin(header)
    for (index, runs) in sharedRuns.enumerated() {
      try events.beginShared("run \(index)")
      for run in runs { try events.run(run) }
      try events.endShared()
    }
    for device in devices {
      try events.beginDevice(device.header)
      for part in device.parts {
        switch part {
        case .run(let run): try events.run(run)
        case .shared(let index): try events.reference("run \(index)")
        }
      }
      try events.endDevice()
    }
    try events.end()
  }

  /// What the pool amounts to.
  var contents: PoolContents {
    get throws {
      var recorder = PoolRecorder()
      try play(into: &recorder)
      return recorder.contents
    }
  }
}

/// What is left of a pool when it is not said how it is written down: each device with each of
/// its mappings.
struct PoolContents: Equatable {
  struct Device: Equatable {
    var details: DeviceDetails
    /// Virtual blocks, ascending, and the values of a mapping tree.
    var keys: [UInt64] = []
    var values: [UInt64] = []
  }

  var header: PoolHeader?
  var devices: [UInt64: Device] = [:]
}

/// Expands a pool's events, shared runs and all.
struct PoolRecorder: ThinEvents {
  typealias Failure = WriteError

  private(set) var contents = PoolContents()
  private(set) var sharedNames: [String] = []
  private(set) var referenceCount = 0
  private var shared: [String: [MappingRun]] = [:]
  private var sharedName: String?
  private var device: UInt64?

  mutating func begin(_ pool: PoolHeader) { contents.header = pool }

  mutating func beginShared(_ name: String) {
    sharedName = name
    sharedNames.append(name)
    shared[name] = []
  }

  mutating func endShared() { sharedName = nil }

  mutating func beginDevice(_ device: DeviceHeader) {
    self.device = device.id
    contents.devices[device.id] = PoolContents.Device(details: device.details)
  }

  /// What the details say of the number is checked elsewhere.
  mutating func endDevice() {
    guard let device else { return }
    let count = contents.devices[device]?.keys.count ?? 0
    contents.devices[device]?.details.mappedBlocks = UInt64(count)
    self.device = nil
  }

  mutating func run(_ run: MappingRun) {
    if let sharedName {
      shared[sharedName, default: []].append(run)
    } else if let device {
      add(run, to: device)
    }
  }

  mutating func reference(_ name: String) {
    referenceCount += 1
    guard let device else { return }
    for run in shared[name, default: []] { add(run, to: device) }
  }

  mutating func end() {}

  private mutating func add(_ run: MappingRun, to device: UInt64) {
    for index in 0..<run.length {
      contents.devices[device]?.keys.append(run.virtualBegin + index)
      contents.devices[device]?.values.append(
        Mapping(dataBlock: run.dataBegin + index, time: run.time).value)
    }
  }
}

extension MetadataImage {
  /// The pool as it stands in the trees, read without the program's help.
  var contents: PoolContents {
    let superblock = superblock
    var contents = PoolContents()
    contents.header = PoolHeader(
      time: superblock.time, transactionID: superblock.transactionID,
      dataBlockSectors: superblock.dataBlockSectors,
      dataBlockCount: superblock.dataSpaceMap.blockCount)
    for (id, root) in devices {
      var device = PoolContents.Device(details: details(id))
      for leaf in leaves(below: root) {
        device.keys += leaf.keys
        device.values += leaf.values
      }
      contents.devices[id] = device
    }
    return contents
  }
}
