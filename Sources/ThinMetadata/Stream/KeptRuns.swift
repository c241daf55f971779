package import PersistentData
internal import Threads

/// Mappings of leaves that were read in the order of the device, kept until it is their turn in the
/// order of the trees: nothing has to be read twice, or from all over the device.
///
/// Keeps as many leaves as there is room for; the others are read when their turn comes.
package struct KeptRuns: Sendable {
  /// A leaf of more runs than this is better taken entry by entry.
  package static let runsAtMost = 64
  /// Runs in all, of 12 bytes each.
  private static let capacity = 2 << 20

  private var parts: [Part]
  /// By block: which part has a leaf, and the leaf's first run, as one number.
  private var places: BlockPlaces

  /// None.
  package init() { self.init([], blockCount: 0) }

  /// What several readers have kept; no leaf is in two parts.
  package init(_ parts: [Part], blockCount: UInt64) {
    let parts = parts.filter { !$0.leaves.isEmpty }
    places = BlockPlaces(blockCount: parts.isEmpty ? 0 : blockCount)
    self.parts = parts
    for (number, part) in parts.enumerated() {
      for (block, start) in part.leaves {
        places[block.number] = Int(start) * parts.count + number
      }
      // `places` has this now.
      self.parts[number].leaves = []
    }
  }

  package var isEmpty: Bool { parts.isEmpty }

  /// Whether the mappings of the leaf in `block` were kept.
  package func holds(_ block: MetadataBlock) -> Bool {
    !isEmpty && places[block.number] != nil
  }

  /// Appends the mappings of the leaf in `block`, if they were kept; `firstKey` is the same as
  /// then.
  package func append(
    runsOf block: MetadataBlock, keysFrom firstKey: UInt64, to runs: inout [MappingRun]
  ) {
    guard !isEmpty, let place = places[block.number] else { return }
    let part = parts[place % parts.count]
    part.append(runsFrom: place / parts.count, keysFrom: firstKey, to: &runs)
  }

  /// What one of several readers keeps.
  package struct Part: Sendable {
    /// Where the gap and the last-run flag of an extent begin; the length comes before them.
    private static let gapShift: UInt32 = 8
    private static let lastShift: UInt32 = 31

    /// Leaves, and where each starts in the two arrays.
    fileprivate var leaves: [(block: MetadataBlock, start: UInt32)] = []
    /// The first mapping of each run, as leaves store it.
    private var mappings: [UInt64] = []
    /// For each run its length, the keys left out before it, and whether it is the last of its
    /// leaf.
    private var extents: [UInt32] = []
    private let capacity: Int

    /// One part per core, with its share of the capacity.
    package init() { self.init(capacity: KeptRuns.capacity / Workers.coreCount) }

    /// `capacity`: how many runs it may keep.
    package init(capacity: Int) {
      self.capacity = capacity
      // Memory that is never touched costs nothing; growing would take three times as much.
      leaves.reserveCapacity(capacity / 4)
      mappings.reserveCapacity(capacity)
      extents.reserveCapacity(capacity)
    }

    /// Keeps the mappings of the leaf in `block`, unless there is no room left for them;
    /// `firstKey`: the lowest key that they can have.
    package mutating func keep(
      _ runs: ArraySlice<MappingRun>, of block: MetadataBlock, keysFrom firstKey: UInt64
    ) {
      let start = mappings.count
      guard !runs.isEmpty, start + runs.count <= capacity else { return }
      var nextKey = firstKey
      for run in runs {
        let gap = run.virtualBegin - nextKey
        guard gap >> UInt64(Part.lastShift - Part.gapShift) == 0,
          run.length >> UInt64(Part.gapShift) == 0
        else {
          mappings.removeSubrange(start...)
          extents.removeSubrange(start...)
          return
        }
        mappings.append(Mapping(dataBlock: run.dataBegin, time: run.time).value)
        extents.append(UInt32(gap) << Part.gapShift | UInt32(run.length))
        // No run follows the highest key.
        nextKey = run.virtualBegin &+ run.length
      }
      extents[extents.count - 1] |= 1 << Part.lastShift
      leaves.append((block, UInt32(start)))
    }

    fileprivate func append(
      runsFrom start: Int, keysFrom firstKey: UInt64, to runs: inout [MappingRun]
    ) {
      var nextKey = firstKey
      var index = start
      while true {
        let mapping = Mapping(mappings[index])
        let extent = extents[index]
        let isLast = extent >> Part.lastShift != 0
        let gap = (extent & (1 << Part.lastShift - 1)) >> Part.gapShift
        let length = UInt64(extent & (1 << Part.gapShift - 1))
        let key = nextKey + UInt64(gap)
        runs.append(
          MappingRun(
            virtualBegin: key, dataBegin: mapping.dataBlock, length: length, time: mapping.time))
        if isLast { return }
        nextKey = key &+ length
        index += 1
      }
    }
  }
}
