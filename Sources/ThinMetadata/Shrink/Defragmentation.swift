internal import PersistentData

/// A plan to defragment volumes: parts that lie in pieces move to free space as a whole, one after
/// the other, as long as there is any.
///
/// Every block moves once, to a block that is free before. What several volumes share moves with
/// the first of them that has it in pieces.
package struct Defragmentation: Sendable {
  /// How many pieces a volume is in: runs of consecutive virtual blocks in consecutive data blocks.
  package struct Pieces: Sendable {
    package let device: UInt64
    package let before: UInt64
    package fileprivate(set) var after: UInt64 = 0
  }

  /// Ascending by device; all of them, whichever were chosen.
  package let pieces: [Pieces]
  package let plan: MovePlan
  /// Whether more could be moved than is noted at once.
  package let isPartial: Bool

  /// `chosen`: the devices to defragment; all when empty.
  package init(_ pool: CheckedPool, chosen: Set<UInt64>) throws(DumpError) {
    let reader = try PoolReader.open(pool.file, choosing: RootChoice())
    var planner = DefragmentationPlanner(chosen: chosen, room: FreeRuns(pool.unusedData()))
    reader.replay(
      reader.header, reader.moveableDevices, into: &planner, for: "planning", sharingRuns: false)
    let moves = planner.blockMoves(of: pool.dataBlockCount)
    var after = PieceCounter(moves)
    reader.replay(
      reader.header, reader.moveableDevices, into: &after, for: "planning", sharingRuns: false)
    let all = zip(planner.pieces, after.pieces).map {
      Pieces(device: $0.device, before: $0.count, after: $1.count)
    }
    isPartial = planner.isFull
    // What one volume gains, others that share its blocks may lose.
    if all.reduce(0, { $0 + Int64($1.before) - Int64($1.after) }) > 0 {
      pieces = all
      plan = MovePlan(moves, used: pool.usedData)
    } else {
      pieces = all.map { Pieces(device: $0.device, before: $0.before, after: $0.before) }
      let none = BlockMoves(Bitset(bitCount: Int(pool.dataBlockCount)), to: [])
      plan = MovePlan(none, used: pool.usedData)
    }
  }

  package var piecesBefore: UInt64 { pieces.reduce(0) { $0 + $1.before } }
  package var piecesAfter: UInt64 { pieces.reduce(0) { $0 + $1.after } }
}

/// Free data blocks, the longest runs first.
struct FreeRuns {
  /// Ascending by length.
  private var runs: [Range<UInt64>]
  private var current: Range<UInt64> = 0..<0

  init(_ unused: Bitset) {
    runs = unused.ranges.map { $0.lowerBound..<$0.upperBound + 1 }.sorted { $0.count < $1.count }
  }

  /// The longest run there is, up to `count` blocks of it.
  mutating func take(upTo count: Int) -> Range<UInt64> {
    if current.count < count, let longest = runs.last, longest.count > current.count {
      runs.removeLast()
      current = longest
    }
    let taken = current.prefix(count)
    current = current.dropFirst(taken.count)
    return taken
  }

  /// How many blocks `take` would give.
  func available(upTo count: Int) -> Int {
    min(count, max(current.count, runs.last?.count ?? 0))
  }
}

/// Counts the pieces of each device, in the order in which they come, after `moves`.
private struct PieceCounter: EntryEvents {
  typealias Failure = Never

  private let moves: BlockMoves?
  private(set) var pieces: [(device: UInt64, count: UInt64)] = []
  private var next: (virtual: UInt64, data: UInt64)?

  init(_ moves: BlockMoves?) { self.moves = moves }

  mutating func begin(_ pool: PoolHeader) {}
  mutating func beginShared(_ name: String) {}
  mutating func endShared() {}
  mutating func endDevice() {}
  mutating func reference(_ name: String) {}
  mutating func end() {}

  mutating func beginDevice(_ device: DeviceHeader) {
    pieces.append((device.id, 0))
    next = nil
  }

  mutating func run(_ run: MappingRun) {
    for offset in 0..<run.length {
      add(run.virtualBegin + offset, run.dataBegin + offset)
    }
  }

  mutating func entries(_ keys: Span<UInt64>, _ values: Span<UInt64>) {
    for index in keys.indices {
      add(
        UInt64(littleEndian: keys[index]),
        Mapping(UInt64(littleEndian: values[index])).dataBlock)
    }
  }

  private mutating func add(_ virtual: UInt64, _ data: UInt64) {
    let place = moves?.place(of: data) ?? data
    if next?.virtual != virtual || next?.data != place { pieces[pieces.count - 1].count += 1 }
    next = (virtual &+ 1, place + 1)
  }
}

/// Finds parts of volumes that lie in pieces, and room for them.
private struct DefragmentationPlanner: EntryEvents {
  typealias Failure = Never

  /// Blocks of a part: what moves as a whole, or not at all.
  private static let longestPart = 1 << 14
  /// The most moves that are noted, of 16 bytes each.
  private static let maxMoves = 8 << 20

  private let chosen: Set<UInt64>
  private var room: FreeRuns
  private var counter = PieceCounter(nil)
  private var moves: [(from: UInt64, to: UInt64)] = []
  private var moved: Bitset
  private(set) var isFull = false
  /// The data blocks of consecutive virtual blocks, up to `nextVirtual`.
  private var part: [UInt64] = []
  private var nextVirtual: UInt64 = 0
  private var isChosen = false

  init(chosen: Set<UInt64>, room: FreeRuns) {
    self.chosen = chosen
    self.room = room
    moved = Bitset(bitCount: 0)
  }

  var pieces: [(device: UInt64, count: UInt64)] { counter.pieces }

  func blockMoves(of dataBlockCount: UInt64) -> BlockMoves {
    BlockMoves(moved, to: moves.sorted { $0.from < $1.from }.map(\.to))
  }

  mutating func begin(_ pool: PoolHeader) {
    moved = Bitset(bitCount: Int(pool.dataBlockCount))
  }

  mutating func beginShared(_ name: String) {}
  mutating func endShared() {}
  mutating func reference(_ name: String) {}
  mutating func end() {}

  mutating func beginDevice(_ device: DeviceHeader) {
    counter.beginDevice(device)
    isChosen = chosen.isEmpty || chosen.contains(device.id)
  }

  mutating func endDevice() { closePart() }

  mutating func run(_ run: MappingRun) {
    counter.run(run)
    guard isChosen else { return }
    for offset in 0..<run.length { add(run.virtualBegin + offset, run.dataBegin + offset) }
  }

  mutating func entries(_ keys: Span<UInt64>, _ values: Span<UInt64>) {
    counter.entries(keys, values)
    guard isChosen else { return }
    for index in keys.indices {
      add(
        UInt64(littleEndian: keys[index]),
        Mapping(UInt64(littleEndian: values[index])).dataBlock)
    }
  }

  private mutating func add(_ virtual: UInt64, _ data: UInt64) {
    // A block that moves already can't move once more.
    let isMoved = moved[data]
    if virtual != nextVirtual || part.count == Self.longestPart || isMoved { closePart() }
    if !isMoved { part.append(data) }
    nextVirtual = virtual &+ 1
  }

  /// Finds room for the part, or for as much of it as there is room for, where that makes fewer
  /// pieces.
  private mutating func closePart() {
    defer { part.removeAll(keepingCapacity: true) }
    // A block that the part has twice, which no kernel makes, stays where it is.
    guard pieceCount(part[...]) > 1, Set(part).count == part.count else { return }
    var rest = part[...]
    while rest.count > 1, pieceCount(rest) > 1 {
      let count = room.available(upTo: rest.count)
      let head = rest.prefix(count)
      // A piece that is cut in two counts as one more.
      let isCut = count < rest.count && rest[head.endIndex] == rest[head.endIndex - 1] + 1
      guard count > 1, pieceCount(head) > (isCut ? 2 : 1) else { return }
      guard moves.count + count <= Self.maxMoves else {
        isFull = true
        return
      }
      for (from, to) in zip(head, room.take(upTo: count)) {
        moves.append((from, to))
        moved[from] = true
      }
      rest = rest[head.endIndex...]
    }
  }

  private func pieceCount(_ blocks: ArraySlice<UInt64>) -> Int {
    zip(blocks, blocks.dropFirst()).reduce(blocks.isEmpty ? 0 : 1) {
      $0 + ($1.0 + 1 == $1.1 ? 0 : 1)
    }
  }
}
