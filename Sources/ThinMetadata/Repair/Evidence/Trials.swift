internal import PersistentData

/// Tests assumptions: removes what is assumed to be wrong, puts in its place what the rest demands,
/// and judges the pool again.
struct Trials {
  /// Blocks read in all trials together: some seconds of work.
  private static let maxBlocks: UInt64 = 4 << 20
  /// The most trials, however small the pool.
  private static let maxTrials = 512
  /// About how often a pool is read in one trial.
  private static let readsPerTrial: UInt64 = 3

  let source: PoolSource
  let census: BlockCensus
  let contested: Contested
  /// Whether blocks are lost besides those that may be wrong.
  private let hasLosses: Bool
  private let file: BlockFile
  /// Superblocks that lead elsewhere; `nil` when there are none.
  private let corrected: Superblock?
  private let successor: Superblock?

  /// `doubting`: which parts of the superblock may be wrong.
  init(
    _ source: PoolSource, _ census: BlockCensus, _ contested: Contested,
    doubting doubts: [Suspect] = []
  ) {
    self.source = source
    self.census = census
    self.contested = contested
    hasLosses = contested.hasLosses
    file = census.file
    let superblock = source.superblock
    corrected =
      doubts.contains(.superblockRoots) ? SuperblockSearch.correction(of: superblock, census) : nil
    successor =
      doubts.contains(.superblock) ? SuperblockSearch.successor(of: superblock, census) : nil
  }

  /// How many trials there may be.
  var limit: Int {
    let used = UInt64(max(1, census.nodes.all.count))
    return min(
      Trials.maxTrials, Int(Trials.maxBlocks / (Trials.readsPerTrial * used)))
  }

  /// What is left of a pool if some parts are wrong.
  struct Outcome {
    /// How many blocks are then damaged or wrong; `nil` if contradictions remain.
    var faults: Int?
    /// Whether nothing is lost then: what wrong nodes led to is found without them.
    var bringsAllBack = false
    /// Mappings of all devices that are then left.
    var keptCount: UInt64 = 0
  }

  /// What is left if all these are wrong.
  func outcome(_ suspects: [Suspect]) -> Outcome {
    let standIns = file.allStandIns
    defer { file.allStandIns = standIns }
    guard let superblock = assume(suspects) else { return Outcome() }
    var trial = Grafting()
    trial.isTrial = true
    let source = PoolSource(superblock: superblock, read: source.read)
    let pool = trial.regrow(source.read(), source, census)
    let reader = pool.reader
    // What several lost nodes held may not be fully known; what a single one held is.
    let isSeveral = hasLosses || suspects.count > 1
    let judgement = PoolJudgement(
      pool, partial: isSeveral ? trial.partialNodes : [], madeUp: Set(trial.madeUpDevices))
    return Outcome(
      faults: faults(suspects, judgement, trial),
      bringsAllBack: !reader.hasLosses && !reader.mappings.skeleton.hasLostPointers
        && judgement.mappedAtOdds.isEmpty,
      keptCount: judgement.mappingCount)
  }

  /// `judgement`: of the pool as `trial` has made it, if all these are wrong.
  private func faults(
    _ suspects: [Suspect], _ judgement: PoolJudgement, _ trial: Grafting
  ) -> Int? {
    let reader = judgement.reader
    guard judgement.isClean else { return nil }
    // Data blocks that are counted belong to some device.
    if reader.devices.isEmpty, !judgement.data.deficits.isEmpty { return nil }
    let areBorneOut = suspects.allSatisfy { suspect in
      guard case .mapping(_, let key, let dataBlock) = suspect else { return true }
      let witnesses = Survivors(reader, of: [dataBlock]).witnesses
      return witnesses[dataBlock].map { $0.isUnanimous && $0.key == key } ?? false
    }
    guard areBorneOut else { return nil }
    let blocks = Set(suspects.compactMap(\.block)).union(trial.nodes.map(\.block))
      .union(reader.mappings.holes.keys).union(reader.topLevel.holes.keys)
      .union(reader.details.holes.keys)
    let besides = [
      // Data blocks that leaked, if counts of metadata blocks are wrong.
      suspects.contains(.metadataSpaceMap) && !judgement.data.deficits.isEmpty,
      // The kernel would not have left it so: then details are wrong as well.
      !judgement.pool.snapshottedTimesTooLow.isEmpty,
      // Trees without a device: a wrong list of devices hides whose they are, as others do.
      !trial.madeUpDevices.isEmpty,
      // Space maps that can't be read as a whole.
      !judgement.data.isComplete && !suspects.contains(.dataSpaceMap),
      !judgement.metadata.isComplete && !suspects.contains(.metadataSpaceMap),
      // What something led to, and now nothing does, leaked; unless it is below something lost.
      !suspects.contains(.dataSpaceMap) && !reader.hasLostBranches
        && !judgement.unreached.isSubset(of: contested.unreached),
    ]
    return blocks.count + suspects.count(where: \.isSpaceMap) + besides.count { $0 }
  }

  /// Makes blocks read as they would if all these were wrong. Returns the superblock to start from;
  /// `nil` where an assumption makes no sense.
  func assume(_ suspects: [Suspect]) -> Superblock? {
    var superblock = source.superblock
    for suspect in suspects {
      switch suspect {
      case .node(let block): file.standIn(for: block, BlockBuffer(zeroedBlocks: 1))
      case .pointers(let block):
        guard let contents = withoutContested(block) else { return nil }
        file.standIn(for: block, contents)
      case .root(let block, let device):
        guard var copy = NodeCopy(file, block),
          let index = copy.entries.firstIndex(where: { $0.key == device })
        else { return nil }
        copy.entries[index].value = 0
        guard let contents = copy.contents else { return nil }
        file.standIn(for: block, contents)
      case .mapping(let block, let key, let dataBlock):
        guard let contents = exchanging(block, key, dataBlock) else { return nil }
        file.standIn(for: block, contents)
      case .dataSpaceMap:
        superblock.dataSpaceMap.bitmapRoot = 0
        superblock.dataSpaceMap.refCountRoot = 0
      case .metadataSpaceMap:
        superblock.metadataSpaceMap.bitmapRoot = 0
        superblock.metadataSpaceMap.refCountRoot = 0
      case .superblockRoots:
        guard let corrected else { return nil }
        superblock = corrected
      case .superblock:
        guard let successor else { return nil }
        superblock = successor
      }
    }
    return superblock
  }

  /// An internal node, or a leaf of the list of devices, without its contradicted pointers.
  func withoutContested(_ block: MetadataBlock) -> BlockBuffer? {
    guard var copy = NodeCopy(file, block),
      copy.kind == .internal || contested.lists.contains(block)
    else { return nil }
    for index in copy.entries.indices {
      let target = MetadataBlock(pointer: copy.entries[index].value, count: census.blockCount)
      if target.map(contested.targets.contains) ?? true {
        copy.entries[index].value = 0
      }
    }
    return copy.contents
  }

  private func exchanging(
    _ block: MetadataBlock, _ key: UInt64, _ dataBlock: UInt64
  ) -> BlockBuffer? {
    guard var copy = NodeCopy(file, block),
      let index = copy.entries.firstIndex(where: { $0.key == key })
    else { return nil }
    let time = Mapping(copy.entries[index].value).time
    copy.entries[index].value = Mapping(dataBlock: dataBlock, time: time).value
    return copy.contents
  }
}
