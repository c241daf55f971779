internal import PersistentData

/// Passes a pool's events on, with data blocks where they have been moved to.
struct MovedEvents<Next: ThinEvents & ~Copyable>: ThinEvents, ~Copyable {
  private(set) var next: Next
  private let moves: BlockMoves
  private let dataBlockCount: UInt64
  /// Memory for the values of a leaf.
  private var values: [UInt64] = []

  /// `dataBlockCount`: what the pool has afterwards.
  init(_ moves: BlockMoves, dataBlockCount: UInt64, to next: consuming Next) {
    self.moves = moves
    self.dataBlockCount = dataBlockCount
    self.next = next
  }

  consuming func takeNext() -> Next { next }

  mutating func begin(_ pool: PoolHeader) throws(Next.Failure) {
    var pool = pool
    pool.dataBlockCount = dataBlockCount
    // What was read has been checked all through.
    pool.needsCheck = false
    try next.begin(pool)
  }

  mutating func beginShared(_ name: String) throws(Next.Failure) { try next.beginShared(name) }
  mutating func endShared() throws(Next.Failure) { try next.endShared() }

  mutating func beginDevice(_ device: DeviceHeader) throws(Next.Failure) {
    try next.beginDevice(device)
  }

  mutating func endDevice() throws(Next.Failure) { try next.endDevice() }
  mutating func reference(_ name: String) throws(Next.Failure) { try next.reference(name) }
  mutating func end() throws(Next.Failure) { try next.end() }

  mutating func run(_ run: MappingRun) throws(Next.Failure) {
    var joiner = Joiner<MappingRun>()
    for offset in 0..<run.length {
      let part = MappingRun(
        virtualBegin: run.virtualBegin + offset, dataBegin: moves.place(of: run.dataBegin + offset),
        length: 1, time: run.time)
      if let done = joiner.add(part) { try next.run(done) }
    }
    if let done = joiner.finish() { try next.run(done) }
  }
}

extension MovedEvents: EntryEvents where Next: EntryEvents & ~Copyable {
  mutating func entries(
    _ keys: Span<UInt64>, _ values: Span<UInt64>
  ) throws(Next.Failure) {
    var moved = self.values
    self.values = []
    moved.removeAll(keepingCapacity: true)
    for index in values.indices {
      let mapping = Mapping(UInt64(littleEndian: values[index]))
      let place = moves.place(of: mapping.dataBlock)
      moved.append(Mapping(dataBlock: place, time: mapping.time).value.littleEndian)
    }
    try next.entries(keys, moved.span)
    self.values = moved
  }
}
