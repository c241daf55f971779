internal import PersistentData

extension Grafting {
  /// As often as what is contested is left out, and the pool judged again.
  private static let mostRounds = 3

  /// Finds out which blocks lie, as far as the rest of the pool tells, and has them read as they
  /// should be: a node that lies as if it were lost. Returns the superblock to start from.
  ///
  /// Where more than one explanation is possible, or none, whatever is contested is left out, and
  /// counts are no evidence.
  mutating func resolve(
    _ judgement: PoolJudgement, _ source: PoolSource, _ census: BlockCensus
  ) throws(IOError) -> Superblock {
    if judgement.contradictsMetadataCountsAlone {
      let trials = Trials(source, census, Contested(judgement))
      return take([.metadataSpaceMap], trials, judgement)
    }
    if try correctCapacities(judgement, source) { return source.superblock }
    if let wrong = WrongEntry(judgement) {
      correct(wrong, judgement)
      return source.superblock
    }
    guard judgement.needsExplanation, !judgement.hasTwoOwnersOnly else {
      leaveOutForeign(judgement)
      doubtfulDetails = judgement.devicesListed(with: judgement.mappedAtOdds)
      return source.superblock
    }
    let contested = Contested(judgement)
    if judgement.hasListsAtOdds || Suspect.isLedAstray(judgement) {
      let trials = Trials(source, census, contested, doubting: [.superblockRoots])
      // Two trees alone are counted that nobody leads to: of that there is no doubt.
      if try trials.outcome([.superblockRoots]).faults != nil {
        return take([.superblockRoots], trials, judgement)
      }
    }
    let suspects = Suspect.list(judgement, contested, census)
    let trials = Trials(source, census, contested, doubting: suspects)
    // Pointers that lead nowhere, and no block that lies.
    let asItIs = try trials.outcome([])
    if asItIs.faults != nil, asItIs.bringsAllBack { return source.superblock }
    let explanations = try Explanations(of: suspects, atMost: trials.most) {
      (suspects) throws(IOError) in try trials.outcome(suspects).faults
    }
    // What such keys lead to, and what such pointers hide, is known, and what may be missing is
    // told: that costs less than to leave out all who may be wrong.
    if judgement.hasMisfitsOnly || asItIs.faults != nil {
      var best: [[Suspect]] = []
      for suspects in explanations.found where try trials.outcome(suspects).bringsAllBack {
        best.append(suspects)
      }
      guard let only = Grafting.only(best),
        asItIs.faults != nil || judgement.isProof(only, against: explanations.found)
      else { return source.superblock }
      return take(only, trials, judgement)
    }
    let found = judgement.innermost(explanations.found)
    if let only = Grafting.only(found) { return take(only, trials, judgement) }
    if !found.isEmpty, found.allSatisfy({ $0.allSatisfy(\.isSpaceMap) }) {
      return take(Array(Set(found.joined())), trials, judgement)
    }
    // Two lists that don't have the same devices, and nothing that says which is right.
    guard judgement.isContradicted else { return source.superblock }
    return try leaveOutContested(judgement, trials, found)
  }

  /// The explanation, when all of them name the same places; of several ways to read these the
  /// one that leaves most as it is.
  private static func only(_ found: [[Suspect]]) -> [Suspect]? {
    guard let first = found.first else { return nil }
    let isOnly = found.allSatisfy { other in
      other.count == first.count
        && other.allSatisfy { suspect in first.contains { $0.isSamePlace(as: suspect) } }
    }
    return isOnly ? first : nil
  }

  private mutating func take(
    _ suspects: [Suspect], _ trials: Trials, _ judgement: PoolJudgement
  ) -> Superblock {
    for suspect in suspects {
      note(suspect, judgement)
      if case .mapping(let block, let key, _) = suspect {
        corrected[block, default: []].append(key)
      }
      if suspect == .superblock { isSuperblockReplaced = true }
    }
    return trials.assume(suspects) ?? trials.source.superblock
  }

  mutating func note(_ suspect: Suspect, _ judgement: PoolJudgement) {
    let superblock = judgement.reader.superblock
    let (block, structure): (UInt64, String) =
      switch suspect {
      case .node(let block), .pointers(let block), .root(let block, _), .mapping(let block, _, _):
        (
          UInt64(block.number),
          judgement.reader.usage.user(of: block) ?? PoolReader.Structure.mapping.name
        )
      case .dataSpaceMap:
        (superblock.dataSpaceMap.bitmapRoot, PoolReader.Structure.dataSpaceMap.name)
      case .metadataSpaceMap:
        (superblock.metadataSpaceMap.bitmapRoot, PoolReader.Structure.metadataSpaceMap.name)
      case .superblockRoots, .superblock: (0, PoolReader.Structure.superblock.structure)
      }
    if damagedBlocks.contains(where: { $0.block == block }) { return }
    damagedBlocks.append(
      DamagedBlock(block: block, structure: structure, look: .contradicted, copyOf: nil))
    damagedBlocks.sort { $0.block < $1.block }
  }

  /// Has all that is contested read as if it weren't there, until nothing is.
  private mutating func leaveOutContested(
    _ judgement: PoolJudgement, _ trials: Trials, _ explanations: [[Suspect]]
  ) throws(IOError) -> Superblock {
    isOpen = true
    for suspect in Set(explanations.joined()) { note(suspect, judgement) }
    let named = Set(explanations.joined().compactMap(\.block))
    let file = judgement.reader.file
    // With other damage, pointers that are wrong may seem right: they make up for what is missing.
    let isDropping = judgement.reader.hasLosses
    var judgement = judgement
    var contested = trials.contested
    for _ in 0..<Grafting.mostRounds {
      let trials = Trials(trials.source, trials.census, contested)
      for block in contested.lists.union(contested.parents) {
        let isOld = isDropping || judgement.isSuperseded(block)
        guard var contents = trials.withoutContested(block) else { continue }
        if isOld, contested.parents.contains(block) { contents = BlockBuffer(zeroedBlocks: 1) }
        file.standIn(for: block, contents)
        contestedNodes.insert(block)
        if explanations.isEmpty { note(.node(block), judgement) }
      }
      for leaf in contested.leaves {
        if named.contains(leaf.block) {
          // Where it lies, nobody knows which of its entries are right.
          file.standIn(for: leaf.block, BlockBuffer(zeroedBlocks: 1))
          continue
        }
        guard var copy = NodeCopy(file, leaf.block) else { continue }
        let keys = Set(leaf.entries.map(\.key))
        copy.entries.removeAll { keys.contains($0.key) }
        guard let contents = copy.contents else { continue }
        file.standIn(for: leaf.block, contents)
        leftOut[leaf.block, default: []] += keys.sorted().map { $0...$0 }
        if explanations.isEmpty { note(.node(leaf.block), judgement) }
      }
      let (reader, counts) = try trials.source.read(trials.source.superblock, RootChoice())
      judgement = PoolJudgement(reader, counts)
      if judgement.surplusBlocks.isEmpty, judgement.surplusData.isEmpty { break }
      contested = Contested(judgement)
    }
    return trials.assume([.dataSpaceMap, .metadataSpaceMap]) ?? trials.source.superblock
  }
}

extension PoolJudgement {
  /// Whether the counts of metadata blocks are at odds with trees that all the rest bears out.
  var contradictsMetadataCountsAlone: Bool {
    (!surplusBlocks.isEmpty || !surplusMapBlocks.isEmpty) && data.isComplete
      && data.all.isEmpty && !hasTreesAtOdds && !hasListsAtOdds
      && mappedAtOdds.isEmpty && !reader.hasLosses && !mayHaveWrongPointer
  }

  /// Whether one pointer may lead to another node than it did: what it leads to now has a reference
  /// too many, and nothing leads to what it led to. An older bitmap differs in more.
  var mayHaveWrongPointer: Bool {
    surplusBlocks.count == 1 && surplusMapBlocks.isEmpty && !metadata.deficits.isEmpty
      && metadata.isComplete && data.isComplete
  }

  /// Whether an internal node leads to a block that is free: then it is older as a whole.
  func isSuperseded(_ block: MetadataBlock) -> Bool {
    let skeleton = reader.mappings.skeleton
    guard let index = skeleton.index(of: block) else { return false }
    let free = metadata.surpluses.filter { $0.stored == 0 }
    return skeleton.children[skeleton.nodes[index].entries].contains { child in
      free.contains { $0.blocks.contains(UInt64(child)) }
    }
  }

  /// Whether anything is referred to that is counted less often, or that can't be right.
  var isContradicted: Bool {
    !surplusBlocks.isEmpty || !surplusMapBlocks.isEmpty || !surplusData.isEmpty || hasTooMany
      || hasTreesAtOdds
  }

  /// Whether all that is at odds are keys that don't fit those of their parents.
  var hasMisfitsOnly: Bool {
    let mappings = reader.mappings
    return !mappings.misfitNodes.isEmpty && surplusBlocks.isEmpty && surplusMapBlocks.isEmpty
      && surplusData.isEmpty && !hasTooMany && mappings.crossLinked.isEmpty
      && reader.topLevel.crossLinked.isEmpty && reader.details.crossLinked.isEmpty
      && !reader.topLevel.isLedAstray && !reader.details.isLedAstray
  }

  /// Whether all that is at odds are data blocks that are mapped for two virtual blocks or at two
  /// times: they have been given out twice, and it is data that is gone.
  var hasTwoOwnersOnly: Bool {
    guard surplusBlocks.isEmpty, surplusMapBlocks.isEmpty, !hasTreesAtOdds, !hasTooMany,
      mappedAtOdds.isEmpty, !surplusData.isEmpty
    else { return false }
    let witnesses = Survivors(reader, of: surplusData).witnesses
    return surplusData.allSatisfy { witnesses[$0]?.isUnanimous == false }
  }

  /// Whether there is more at odds than numbers in the details, which are counted anew: blocks
  /// referred to more often than is counted, or pointers that lead nowhere.
  var needsExplanation: Bool {
    if !surplusBlocks.isEmpty || !surplusMapBlocks.isEmpty || hasTreesAtOdds { return true }
    // A tree that no list has may be that of a device without one.
    if reader.devices.contains(where: { $0.root == nil }), !metadata.deficits.isEmpty {
      return true
    }
    let hasSurplusData = !surplusData.isEmpty || hasTooMany
    if !mappedAtOdds.isEmpty { return hasSurplusData || !metadata.deficits.isEmpty }
    // Where nothing else is mapped too seldom, data blocks are counted too low: kernels have done
    // that. Whoever shares them has lost data, and no mapping.
    return hasSurplusData && !data.deficits.isEmpty
  }
}
