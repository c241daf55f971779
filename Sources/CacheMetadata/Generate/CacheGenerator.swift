package import PersistentData

/// Makes the metadata of a cache of a given shape; the same shape always gives the same metadata.
package struct CacheGenerator: Sendable {
  private let shape: CacheShape

  /// `shape`: one without a problem.
  package init(_ shape: CacheShape) {
    precondition(shape.problem == nil)
    self.shape = shape
  }

  /// Blocks of a metadata device on which the cache fits with some to spare.
  package var roomyBlocks: UInt64 {
    let arrays = CacheSize.arrayBlocks(
      UInt64(shape.cacheBlocks), hasHints: true, hasDirtyBitset: true)
    return NewSize.roomy(for: ArraySize.metadataBlocks(forArrays: arrays))
  }

  /// Writes the metadata to where `restorer` does.
  package func write(through restorer: consuming CacheRestorer) throws(WriteError) {
    var events = restorer
    try write(into: &events)
  }

  /// Emits the cache as events.
  package func write<Events: CacheEvents & ~Copyable>(
    into events: inout Events
  ) throws(Events.Failure) {
    try events.begin(
      CacheHeader(
        dataBlockSectors: shape.dataBlockSectors, cacheBlockCount: shape.cacheBlocks,
        policy: "smq", hintSize: 4))
    var residents = Residents(shape)
    while let resident = residents.next() { try events.mapping(resident.mapping) }
    try events.beginHints()
    residents = Residents(shape)
    while let resident = residents.next() {
      try events.hint(resident.hint, of: resident.mapping.cacheBlock)
    }
    try events.end()
  }
}

/// Goes through the cache blocks that hold something.
private struct Residents {
  struct Resident {
    let mapping: CacheBlockMapping
    let hint: UInt32
  }

  /// Of the policy smq, whose hint is the level of a block in its queue.
  private static let hintLevels: UInt64 = 64

  private let shape: CacheShape
  private let cacheBlocks: UInt64
  private var random: SplitMix
  private var resident: Sampling
  private var dirty: Sampling
  private var cacheBlock: UInt64 = 0
  private var hotspots: HotspotOrder
  /// Blocks of the current hotspot: the next one, and how many are left.
  private var originBlock: UInt64 = 0
  private var left: UInt64 = 0

  init(_ shape: CacheShape) {
    self.shape = shape
    cacheBlocks = UInt64(shape.cacheBlocks)
    random = SplitMix(seed: shape.seed)
    resident = Sampling(shape.residentBlocks, of: cacheBlocks)
    dirty = Sampling(shape.dirtyBlocks, of: shape.residentBlocks)
    hotspots = HotspotOrder(count: max(1, shape.hotspots), &random)
  }

  mutating func next() -> Resident? {
    while cacheBlock < cacheBlocks {
      let block = cacheBlock
      cacheBlock += 1
      guard resident.chooses(&random) else { continue }
      if left == 0 {
        originBlock = hotspots.next() * shape.hotspotBlocks
        left = shape.hotspotBlocks
      }
      let mapping = CacheBlockMapping(
        cacheBlock: block, originBlock: originBlock, isDirty: dirty.chooses(&random))
      originBlock += 1
      left -= 1
      return Resident(
        mapping: mapping, hint: UInt32(random.number(below: Residents.hintLevels)))
    }
    return nil
  }
}

/// All numbers below a count, each once, in an order that looks like chance.
private struct HotspotOrder {
  private let count: UInt64
  private let step: UInt64
  private var number: UInt64

  init(count: UInt64, _ random: inout SplitMix) {
    self.count = count
    number = random.number(below: count)
    // Without a common divisor, so that each comes up once.
    var step = random.number(below: count) | 1
    while HotspotOrder.greatestDivisor(step, count) != 1 { step += 2 }
    self.step = step % count
  }

  mutating func next() -> UInt64 {
    defer {
      // Below 2^48, as origin blocks are.
      number = (number + step) % count
    }
    return number
  }

  private static func greatestDivisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
    var (left, right) = (left, right)
    while right != 0 { (left, right) = (right, left % right) }
    return left
  }
}
