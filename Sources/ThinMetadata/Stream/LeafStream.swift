internal import PersistentData

/// A piece of a pool in the order of a dump, its leaves still to be read.
enum StreamPiece: Sendable {
  case begin(PoolHeader)
  case beginShared(MetadataBlock)
  case endShared
  case beginDevice(DeviceHeader)
  case endDevice
  /// That many leaves, one after the other.
  case leaves(Int)
  case reference(MetadataBlock)
  case end
}

/// Some pieces, with as many leaves as are read at once.
struct StreamChunk: Sendable {
  fileprivate(set) var pieces: [StreamPiece] = []
  fileprivate(set) var leaves: [NodeReference] = []

  /// Whether the chunk starts in the middle of a run of leaves.
  var startsWithLeaf: Bool { if case .leaves = pieces.first { true } else { false } }

  /// Emits the events of this part of the pool; `leaf` emits those of a leaf, by its index.
  func replay<Events: ThinEvents & ~Copyable>(
    into events: inout Events, leaf: (Int, inout Events) throws(Events.Failure) -> Void
  ) throws(Events.Failure) {
    var nextLeaf = 0
    for piece in pieces {
      switch piece {
      case .begin(let pool): try events.begin(pool)
      case .beginShared(let run): try events.beginShared("\(run)")
      case .endShared: try events.endShared()
      case .beginDevice(let device): try events.beginDevice(device)
      case .endDevice: try events.endDevice()
      case .reference(let run): try events.reference("\(run)")
      case .end: try events.end()
      case .leaves(let count):
        for index in nextLeaf..<nextLeaf + count { try leaf(index, &events) }
        nextLeaf += count
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
  /// Pieces made and not yet handed out, with the places of the next ones.
  private var outline = Outline()
  private var nextPiece = 0
  private var nextLeaf = 0
  /// Leaves of the next piece that were handed out already.
  private var takenLeaves = 0

  /// `devices`: ascending by id; those without a root come out empty.
  init(
    _ pool: PoolHeader, _ devices: [(header: DeviceHeader, root: MetadataBlock?)],
    in walk: TreeWalk, sharing: LeafSharing?
  ) {
    self.walk = walk
    self.sharing = sharing
    self.devices = devices
    outline.append(.begin(pool))
  }

  /// The next chunk; `nil` after the last.
  mutating func next() -> StreamChunk? {
    var chunk = StreamChunk()
    // Small devices share a chunk; text for very many of them stays within bounds too.
    while chunk.leaves.count < LeafBatch.capacity, chunk.pieces.count < 16 * LeafBatch.capacity {
      if nextPiece == outline.pieces.count, !refill() { break }
      if case .leaves(let count) = outline.pieces[nextPiece] {
        takeLeaves(upTo: count - takenLeaves, into: &chunk)
        if takenLeaves < count { break }
        takenLeaves = 0
      } else {
        chunk.pieces.append(outline.pieces[nextPiece])
      }
      nextPiece += 1
    }
    return chunk.pieces.isEmpty ? nil : chunk
  }

  private mutating func takeLeaves(upTo limit: Int, into chunk: inout StreamChunk) {
    let count = min(limit, LeafBatch.capacity - chunk.leaves.count)
    for index in outline.leaves[nextLeaf..<nextLeaf + count] {
      chunk.leaves.append(walk.leaf(at: Int(index)))
    }
    chunk.pieces.append(.leaves(count))
    nextLeaf += count
    takenLeaves += count
  }

  /// Makes the pieces of the next device, or the end.
  private mutating func refill() -> Bool {
    guard nextDevice <= devices.count else { return false }
    if nextDevice < devices.count {
      outline = deviceOutline(devices[nextDevice])
    } else {
      outline = Outline()
      outline.append(.end)
    }
    nextPiece = 0
    nextLeaf = 0
    nextDevice += 1
    return true
  }

  private mutating func deviceOutline(
    _ device: (header: DeviceHeader, root: MetadataBlock?)
  ) -> Outline {
    // Copies of references: the closures below would otherwise copy all of this for each leaf.
    let walk = walk
    var written = written
    self.written = []
    defer { self.written = written }
    var outline = Outline()
    var body = Outline()
    body.append(.beginDevice(device.header))
    if let root = device.root, let sharing {
      sharing.forEachPart(below: root) { part in
        switch part {
        case .leaf(let block): body.append(leaf: block, of: walk)
        case .run(let first):
          if written.insert(first).inserted {
            outline.append(.beginShared(first))
            for block in sharing.leaves(ofRun: first) { outline.append(leaf: block, of: walk) }
            outline.append(.endShared)
          }
          body.append(.reference(first))
        }
      }
    } else if let root = device.root {
      walk.forEachBottom(below: root) { bottom in
        if case .leaf(let block, _) = bottom { body.append(leaf: block, of: walk) }
      }
    }
    body.append(.endDevice)
    outline.append(body)
    return outline
  }
}

/// Pieces, and the leaves that they refer to.
private struct Outline {
  private(set) var pieces: [StreamPiece] = []
  /// Indices of leaves of the walk.
  private(set) var leaves: [UInt32] = []
  /// Leaves after the last piece.
  private var openLeaves = 0

  mutating func append(_ piece: StreamPiece) {
    closeLeaves()
    pieces.append(piece)
  }

  /// Appends a leaf, if the walk came to it.
  mutating func append(leaf: MetadataBlock, of walk: TreeWalk) {
    guard let index = walk.leafIndex(of: leaf) else { return }
    leaves.append(UInt32(index))
    openLeaves += 1
  }

  /// Appends an outline that starts and ends with pieces other than leaves.
  mutating func append(_ other: Outline) {
    closeLeaves()
    pieces += other.pieces
    leaves += other.leaves
  }

  private mutating func closeLeaves() {
    if openLeaves > 0 { pieces.append(.leaves(openLeaves)) }
    openLeaves = 0
  }
}
