internal import PersistentData

/// A pool in the order of a dump, its leaves still to be read: what `ThinEvents` will say.
enum StreamPiece: Sendable {
  case begin(PoolHeader)
  case beginShared(MetadataBlock)
  case endShared
  case beginDevice(DeviceHeader)
  case endDevice
  case leaf(NodeReference)
  case reference(MetadataBlock)
  case end
}

/// Some pieces, with as many leaves as are read at once.
struct StreamChunk: Sendable {
  fileprivate(set) var pieces: [StreamPiece] = []
  fileprivate(set) var leaves: [NodeReference] = []

  /// Whether the chunk starts in the middle of a run of leaves.
  var startsWithLeaf: Bool { if case .leaf = pieces.first { true } else { false } }
}

/// A chunk whose leaves have been read.
struct DecodedChunk: Sendable {
  let chunk: StreamChunk
  /// The mappings of all leaves, one after the other.
  fileprivate(set) var runs: [MappingRun] = []
  /// Where in `runs` the mappings of each leaf end.
  fileprivate(set) var ends: [Int] = []
  /// What is wrong with the leaves.
  fileprivate(set) var findings = Findings()

  /// Says the events of this part of the pool.
  func replay<Events: ThinEvents & ~Copyable>(
    into events: inout Events
  ) throws(Events.Failure) {
    var leaf = 0
    for piece in chunk.pieces {
      switch piece {
      case .begin(let pool): try events.begin(pool)
      case .beginShared(let run): try events.beginShared("\(run)")
      case .endShared: try events.endShared()
      case .beginDevice(let device): try events.beginDevice(device)
      case .endDevice: try events.endDevice()
      case .reference(let run): try events.reference("\(run)")
      case .end: try events.end()
      case .leaf:
        let start = leaf == 0 ? 0 : ends[leaf - 1]
        for index in start..<ends[leaf] { try events.run(runs[index]) }
        leaf += 1
      }
    }
  }
}

/// Cuts a pool into chunks, device by device: the one traversal behind dump and repair.
struct LeafStream {
  private let walk: TreeWalk
  /// `nil` when shared leaves are to be written out for each device.
  private let sharing: LeafSharing?
  private let devices: [(header: DeviceHeader, root: MetadataBlock?)]
  private var nextDevice = 0
  private var written: Set<MetadataBlock> = []
  /// Pieces made and not yet handed out, with the place of the next one.
  private var pieces: [StreamPiece]
  private var nextPiece = 0

  /// `devices`: ascending by id; those without a root come out empty.
  init(
    _ pool: PoolHeader, _ devices: [(header: DeviceHeader, root: MetadataBlock?)],
    in walk: TreeWalk, sharing: LeafSharing?
  ) {
    self.walk = walk
    self.sharing = sharing
    self.devices = devices
    pieces = [.begin(pool)]
  }

  /// The next chunk; `nil` after the last.
  mutating func next() -> StreamChunk? {
    var chunk = StreamChunk()
    // Small devices share a chunk; text for very many of them stays within bounds too.
    while chunk.leaves.count < LeafBatch.capacity, chunk.pieces.count < 16 * LeafBatch.capacity {
      if nextPiece == pieces.count, !refill() { break }
      chunk.pieces.append(pieces[nextPiece])
      if case .leaf(let reference) = pieces[nextPiece] { chunk.leaves.append(reference) }
      nextPiece += 1
    }
    return chunk.pieces.isEmpty ? nil : chunk
  }

  /// Makes the pieces of the next device, or the end.
  private mutating func refill() -> Bool {
    guard nextDevice <= devices.count else { return false }
    pieces = nextDevice < devices.count ? devicePieces(devices[nextDevice]) : [.end]
    nextPiece = 0
    nextDevice += 1
    return true
  }

  private mutating func devicePieces(
    _ device: (header: DeviceHeader, root: MetadataBlock?)
  ) -> [StreamPiece] {
    // Copies of references: the closures below would otherwise copy all of this for each leaf.
    let walk = walk
    var written = written
    self.written = []
    defer { self.written = written }
    var runs: [StreamPiece] = []
    var body: [StreamPiece] = [.beginDevice(device.header)]
    if let root = device.root, let sharing {
      sharing.forEachPart(below: root) { part in
        switch part {
        case .leaf(let block): walk.append(block, to: &body)
        case .run(let first):
          if written.insert(first).inserted {
            runs.append(.beginShared(first))
            for block in sharing.leaves(ofRun: first) { walk.append(block, to: &runs) }
            runs.append(.endShared)
          }
          body.append(.reference(first))
        }
      }
    } else if let root = device.root {
      walk.forEachBottom(below: root) { bottom in
        if case .leaf(let block, _) = bottom { walk.append(block, to: &body) }
      }
    }
    body.append(.endDevice)
    return runs + body
  }

}

extension TreeWalk {
  fileprivate func append(_ block: MetadataBlock, to pieces: inout [StreamPiece]) {
    if let reference = leafReference(block) { pieces.append(.leaf(reference)) }
  }
}

extension LeafStream {
  /// Reads the leaves on all cores; `map` is applied there too, `consume` gets its results here,
  /// in order.
  mutating func run<Output: Sendable, Failure: Error>(
    reading file: BlockFile, _ limits: MappingLeaf.Limits,
    map: @escaping @Sendable (DecodedChunk) -> Output,
    consume: (Output) throws(Failure) -> Void
  ) throws(Failure) {
    let pipeline = OrderedPipeline<ChunkReader, StreamChunk, Output>(
      makeContext: { ChunkReader(file, limits) },
      transform: { reader, chunk in map(reader.decode(chunk)) })
    var stream = self
    try pipeline.run(next: { stream.next() }, consume: consume)
    self = stream
  }
}

/// What a worker keeps between chunks.
private struct ChunkReader {
  private var batch: LeafBatch
  private var leaf: MappingLeaf

  init(_ file: BlockFile, _ limits: MappingLeaf.Limits) {
    batch = LeafBatch(PoolReader.Structure.mapping, in: file)
    leaf = MappingLeaf(limits)
  }

  mutating func decode(_ chunk: StreamChunk) -> DecodedChunk {
    var decoded = DecodedChunk(chunk: chunk)
    var leaf = leaf
    batch.read(chunk.leaves) { index, node, findings in
      while decoded.ends.count < index { decoded.ends.append(decoded.runs.count) }
      leaf.read(node, chunk.leaves[index], findings: &findings)
      decoded.runs += leaf.runs
      decoded.ends.append(decoded.runs.count)
    }
    while decoded.ends.count < chunk.leaves.count { decoded.ends.append(decoded.runs.count) }
    decoded.findings = batch.reader.findings
    batch.reader.findings = Findings()
    self.leaf = leaf
    return decoded
  }
}
