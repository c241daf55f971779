internal import MetadataXML
internal import PersistentData
internal import ThinMetadata

/// Measures single steps, each alone, on one core and in memory. The table has medians.
struct Parts {
  private static let rounds = 15

  private let folder: String

  init(folder: String) { self.folder = folder }

  func measure() throws {
    print("| step | of | ns each | MiB/s |")
    print("|---|---|--:|--:|")
    try measureLeaves("long runs", shape(.sequential, longestRun: 32))
    try measureLeaves("fragmented", shape(.permuted, longestRun: 2))
  }

  /// A thousand leaves and some.
  private func shape(_ order: PoolShape.DataOrder, longestRun: UInt64) -> PoolShape {
    var shape = PoolShape()
    shape.segments = 256
    shape.dataOrder = order
    shape.longestRun = longestRun
    return shape
  }

  private func measureLeaves(_ name: String, _ shape: PoolShape) throws {
    let generator = PoolGenerator(shape)
    let file = try makeFile(blocks: generator.roomyBlocks)
    report("writing leaves", "a mapping, \(name)", count: shape.mappingsPerDevice) {
      try? generator.write(to: file)
    }
    let pool = try Pool(file)
    let count = UInt64(pool.leaves.count)
    let bytes = count * UInt64(MetadataBlock.size)
    let buffer = pool.buffer

    report("checksum", "a leaf, \(name)", count: count, bytes: bytes) {
      for index in pool.leaves.indices where BlockKind(of: buffer[index]) == nil {
        pool.sink += 1
      }
    }
    let tree = PoolReader.Structure.mapping
    report("node check", "a leaf, \(name)", count: count, bytes: bytes) {
      var findings = Findings()
      for (index, leaf) in pool.leaves.enumerated() {
        let node = BTreeNode(buffer[index])
        if !node.check(leaf, in: tree, into: &findings) { pool.sink += 1 }
      }
    }
    report("run collection", "a leaf, \(name)", count: count, bytes: bytes) {
      pool.forEachLeaf { runs in pool.sink += runs.isEmpty ? 1 : 0 }
    }
    var runs: [MappingRun] = []
    pool.forEachLeaf { runs += $0 }
    try measureRuns(name, runs, dataBlockCount: pool.dataBlockCount)
    if pool.sink > 0 { print("\(pool.sink) leaves are not sound") }
  }

  private func measureRuns(
    _ name: String, _ runs: [MappingRun], dataBlockCount: UInt64
  ) throws {
    let counts = RefCounts(count: dataBlockCount)
    let blocks = runs.map { BlockRun(begin: $0.dataBegin, length: $0.length) }
    report("counting", "a run, \(name)", count: UInt64(runs.count)) {
      var batch = CountBatch(counts)
      for run in blocks { batch.add(run) }
      batch.flush()
    }

    let path = "\(folder)/bench.xml"
    let sink = try ByteSink(to: path)
    var size: UInt64 = 0
    forEachPiece(runs, dataBlockCount) { text in
      size += UInt64(text.count)
      try? unsafe sink.write(text.span.bytes)
    }
    try sink.commit()
    report("formatting", "a run, \(name)", count: UInt64(runs.count), bytes: size) {
      forEachPiece(runs, dataBlockCount) { _ in }
    }
    report("XML parsing", "a run, \(name)", count: UInt64(runs.count), bytes: size) {
      let estimate = try? ThinXMLReader.read(
        ByteSource(path), overriding: PoolOverrides(), into: SizeEstimate())
      if estimate == nil { print("the XML can't be read") }
    }
  }

  /// Writes runs as XML, in pieces as large as the program's.
  private func forEachPiece(
    _ runs: [MappingRun], _ dataBlockCount: UInt64, _ body: ([UInt8]) -> Void
  ) {
    var writer = ThinTextWriter(.xml)
    writer.begin(
      PoolHeader(
        time: 0, transactionID: 1, dataBlockSectors: 128, dataBlockCount: dataBlockCount))
    writer.beginDevice(
      DeviceHeader(
        id: 0,
        details: DeviceDetails(
          mappedBlocks: 0, transactionID: 0, creationTime: 0, snapshottedTime: 0)))
    for (index, run) in runs.enumerated() {
      writer.run(run)
      if index % 16384 == 16383 { body(writer.takeText()) }
    }
    writer.endDevice()
    writer.end()
    body(writer.takeText())
  }

  private func makeFile(blocks: UInt64) throws -> BlockFile {
    let path = "\(folder)/bench.img"
    let sink = try ByteSink(to: path)
    let nothing = BlockBuffer(zeroedBlocks: 1)
    try sink.write(nothing[0])
    try sink.commit()
    try nothing.write(BlockFile(path, .write), to: blocks - 1, count: 1)
    return try BlockFile(path, .write)
  }

  private func report(
    _ step: String, _ unit: String, count: UInt64, bytes: UInt64 = 0, _ body: () -> Void
  ) {
    let clock = ContinuousClock()
    let times = (0..<Parts.rounds).map { _ in clock.measure(body) / .nanoseconds(1) }.sorted()
    let median = times[times.count / 2]
    let each = (median * 10 / Double(count)).rounded() / 10
    let speed = bytes == 0 ? "" : String(Int(Double(bytes) / 1_048_576 / median * 1e9))
    print("| \(step) | \(unit) | \(each) | \(speed) |")
  }
}

/// A pool's leaves, all in memory.
private final class Pool {
  let leaves: [NodeReference]
  let buffer: BlockBuffer
  let dataBlockCount: UInt64
  /// Where results go, so that no step is left out as useless.
  var sink = 0

  init(_ file: BlockFile) throws {
    let reader = try PoolReader.open(file, choosing: RootChoice())
    var leaves: [NodeReference] = []
    for device in reader.devices {
      guard let root = device.root else { continue }
      reader.mappings.forEachBottom(below: root) { bottom in
        if case .leaf(let block, _) = bottom, let index = reader.mappings.leafIndex(of: block) {
          leaves.append(reader.mappings.leaf(at: index))
        }
      }
    }
    buffer = BlockBuffer(blocks: leaves.count)
    for (index, leaf) in leaves.enumerated() {
      try buffer.read(file, from: UInt64(leaf.block.number), count: 1, into: index)
    }
    self.leaves = leaves
    dataBlockCount = reader.dataBlockCount
  }

  /// Gives the runs of leaf after leaf to `body`.
  func forEachLeaf(_ body: (ArraySlice<MappingRun>) -> Void) {
    let buffer = buffer
    var findings = Findings()
    var reader = MappingLeaf(MappingLeaf.Limits(dataBlockCount: dataBlockCount, time: .max))
    for (index, leaf) in leaves.enumerated() {
      reader.read(BTreeNode(buffer[index]), leaf, findings: &findings)
      body(reader.runs)
    }
  }
}
