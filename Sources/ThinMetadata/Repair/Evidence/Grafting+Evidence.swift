internal import PersistentData

extension Grafting {
  /// The most times that contested parts are left out and the pool is judged again.
  private static let maxRounds = 3
  /// The most pairs of nodes that are tried as an alternative to a space map.
  private static let maxPairs = 128

  /// Finds out which blocks are wrong, as far as the rest of the pool tells, and corrects them in
  /// memory; a wrong node is treated as lost. Returns the superblock to start from.
  ///
  /// Where more than one explanation is possible, or none, everything contested is left out, and
  /// counts are no evidence.
  mutating func resolve(
    _ judgement: PoolJudgement, _ source: PoolSource, _ census: BlockCensus
  ) -> Superblock {
    if judgement.contradictsMetadataCountsAlone {
      let trials = Trials(source, census, Contested(judgement))
      return take([.metadataSpaceMap], trials, judgement)
    }
    if correctCapacities(judgement, source) { return source.superblock }
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
    if judgement.reader.hasListsAtOdds || Suspect.isLedAstray(judgement) {
      let trials = Trials(source, census, contested, doubting: [.superblockRoots])
      // Only two trees are counted that nothing leads to, so there is no doubt.
      if trials.outcome([.superblockRoots]).faults != nil {
        return take([.superblockRoots], trials, judgement)
      }
    }
    let suspects = Suspect.list(judgement, contested, census)
    let trials = Trials(source, census, contested, doubting: suspects)
    // No block is wrong, but pointers lead nowhere.
    let asItIs = trials.outcome([])
    if asItIs.faults != nil, asItIs.bringsAllBack { return source.superblock }
    let explanations = explain(judgement, suspects, trials)
    // What such keys lead to, and what such pointers hide, is known, and what may be missing is
    // reported: that costs less than to leave out every block that may be wrong.
    if judgement.hasMisfitsOnly || asItIs.faults != nil {
      let best = bringingAllBack(explanations.found, trials)
      if let only = Grafting.only(best),
        asItIs.faults != nil || judgement.isProof(only, against: explanations.found)
      {
        return take(only, trials, judgement)
      }
      if asItIs.faults != nil || !judgement.hasNodesOutOfPlace { return source.superblock }
    }
    let found = judgement.innermost(explanations.found)
    if judgement.isBetweenNodesAndMaps(found) { return keepAgreed(found, trials, judgement) }
    if !found.isEmpty, found.allSatisfy({ $0.allSatisfy(\.isSpaceMap) }) {
      // Where parts of the trees are lost too, nothing shows that the rest is right.
      if judgement.reader.hasHoles { return leaveOutContested(judgement, trials, found) }
      return take(Array(Set(found.joined())), trials, judgement)
    }
    if let only = Grafting.only(found) {
      let better = insteadOfParent(only, trials, judgement)
      return take(better ?? only, trials, judgement)
    }
    // Otherwise the two lists have different devices, and nothing tells which is right.
    guard judgement.isContradicted, !found.isEmpty || !judgement.hasCountsTooLow
    else { return source.superblock }
    let isOne = found.isEmpty ? !explanations.isExhaustive : found.allSatisfy { $0.count == 1 }
    let agreed = AgreedEntries(explanations, among: suspects, trials)
    return leaveOutContested(judgement, trials, found, keeping: agreed, areSeveral: !isOne)
  }

  /// The explanations that bring every mapping back.
  private func bringingAllBack(
    _ found: [[Suspect]], _ trials: Trials
  ) -> [[Suspect]] {
    var best: [[Suspect]] = []
    for suspects in found where trials.outcome(suspects).bringsAllBack { best.append(suspects) }
    return best
  }

  /// Looks for explanations among `suspects`; if there is none, also among the nodes of trees whose
  /// size differs from their details; if only space maps explain it, and something else is wrong
  /// besides, also among pairs of nodes.
  private func explain(
    _ judgement: PoolJudgement, _ suspects: [Suspect], _ trials: Trials
  ) -> Explanations<Suspect> {
    func explanations(
      _ suspects: [Suspect], atMost limit: Int, inPairsOnly: Bool = false
    ) -> Explanations<Suspect> {
      Explanations(of: suspects, atMost: limit, inPairsOnly: inPairsOnly) {
        trials.outcome($0).faults
      }
    }
    var first = explanations(suspects, atMost: trials.limit)
    if first.found.isEmpty {
      let others = Suspect.nodesAtOdds(judgement).filter { !suspects.contains($0) }
      return others.isEmpty ? first : explanations(suspects + others, atMost: trials.limit)
    }
    if first.fewest > 1, first.found.allSatisfy({ $0.allSatisfy(\.isSpaceMap) }) {
      first.add(
        explanations(
          suspects.filter { !$0.isSpaceMap }, atMost: min(trials.limit, Grafting.maxPairs),
          inPairsOnly: true))
    }
    return first
  }

  /// The nodes out of place, instead of a node above them that would be to blame and lose all that
  /// it leads to, if that explains as much and keeps more.
  private func insteadOfParent(
    _ only: [Suspect], _ trials: Trials, _ judgement: PoolJudgement
  ) -> [Suspect]? {
    let misfits = judgement.reader.mappings.misfitNodes.sorted()
    guard judgement.hasNodesOutOfPlace, misfits.count > 1, misfits.count <= Suspect.limit
    else { return nil }
    let suspects = misfits.map(Suspect.node)
    let (one, other) = (trials.outcome(only), trials.outcome(suspects))
    return other.faults != nil && other.keptCount > one.keptCount ? suspects : nil
  }

  /// Keeps what all explanations agree on: no node that any of them blames, and no count.
  private mutating func keepAgreed(
    _ explanations: [[Suspect]], _ trials: Trials, _ judgement: PoolJudgement
  ) -> Superblock {
    isOpen = true
    for suspect in Set(explanations.joined()) {
      note(suspect, judgement)
      guard let block = suspect.block, block != .superblock else { continue }
      judgement.reader.file.standIn(for: block, BlockBuffer(zeroedBlocks: 1))
    }
    return trials.assume([.dataSpaceMap, .metadataSpaceMap]) ?? trials.source.superblock
  }

  /// The explanation, if all of them name the same places; of several ways to read these, the one
  /// that changes least.
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

  /// Leaves out everything contested until nothing is, except what is right under every
  /// explanation. `areSeveral`: whether more than one block must be wrong: then a wrong node may
  /// have other wrong pointers.
  private mutating func leaveOutContested(
    _ judgement: PoolJudgement, _ trials: Trials, _ explanations: [[Suspect]],
    keeping agreed: AgreedEntries? = nil, areSeveral: Bool = false
  ) -> Superblock {
    isOpen = true
    for suspect in Set(explanations.joined()) { note(suspect, judgement) }
    let named = Set(explanations.joined().compactMap(\.block))
    let file = judgement.reader.file
    // With other damage, wrong pointers may seem right: they make up for what is missing.
    let isDropping = judgement.reader.hasLosses || areSeveral
    var (judgement, agreed) = (judgement, agreed)
    var contested = trials.contested
    for _ in 0..<Grafting.maxRounds {
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
        if let agreed {
          leaveOut(leaf, keeping: agreed, file)
          continue
        }
        if named.contains(leaf.block) {
          // If the leaf is wrong, nothing tells which of its entries are right.
          file.standIn(for: leaf.block, BlockBuffer(zeroedBlocks: 1))
          continue
        }
        leaveOut(Set(leaf.entries.map(\.key)), of: leaf.block, in: file)
        if explanations.isEmpty { note(.node(leaf.block), judgement) }
      }
      agreed = nil
      judgement = PoolJudgement(trials.source.read())
      if judgement.surplusBlocks.isEmpty, judgement.surplusData.isEmpty { break }
      contested = Contested(judgement)
    }
    return trials.assume([.dataSpaceMap, .metadataSpaceMap]) ?? trials.source.superblock
  }
}

extension PoolJudgement {
  /// Whether the counts of metadata blocks contradict trees that everything else bears out.
  ///
  /// Not so if some blocks have too many references and others too few: an older node may lead to
  /// other leaves that are shared, which changes no count of a data block.
  var contradictsMetadataCountsAlone: Bool {
    (!surplusBlocks.isEmpty || !surplusMapBlocks.isEmpty) && data.isComplete
      && data.all.isEmpty && !hasTreesAtOdds && !reader.hasListsAtOdds
      && mappedAtOdds.isEmpty && !reader.hasLosses && !mayHaveWrongPointer
      && (surplusBlocks.isEmpty || metadata.deficits.isEmpty)
  }

  /// Whether either internal nodes or space maps may be wrong.
  fileprivate func isBetweenNodesAndMaps(_ explanations: [[Suspect]]) -> Bool {
    let areMaps = explanations.map { $0.allSatisfy(\.isSpaceMap) }
    return areMaps.contains(true) && areMaps.contains(false)
      && zip(explanations, areMaps).allSatisfy { explanation, isMaps in
        isMaps
          || explanation.allSatisfy { suspect in
            guard case .node(let block) = suspect else { return false }
            return reader.mappings.skeleton.index(of: block) != nil
          }
      }
  }

  /// Whether one pointer may have changed: what it leads to now has a reference too many, and
  /// nothing leads to what it led to. An older bitmap differs in more places; wrong large counts
  /// are off by more.
  var mayHaveWrongPointer: Bool {
    surplusBlocks.count == 1 && surplusMapBlocks.isEmpty && !metadata.deficits.isEmpty
      && metadata.isComplete && data.isComplete && !areLargeCountsWrong
  }

  private var areLargeCountsWrong: Bool {
    metadata.all.allSatisfy { $0.stored >= 3 || $0.counted >= 3 }
      && metadata.surpluses.contains { $0.counted - $0.stored > 1 }
  }

  /// Whether counts of data blocks must be too low: there are more surplus references than missing
  /// ones. Devices have as many mappings as their details say, so each wrong mapping in a leaf
  /// would leave one missing.
  fileprivate var hasCountsTooLow: Bool {
    surplusBlocks.isEmpty && surplusMapBlocks.isEmpty && !hasTreesAtOdds && !hasTooMany
      && mappedAtOdds.isEmpty && data.isComplete && !reader.hasListsAtOdds && !reader.hasLosses
      && data.missingReferences < data.surplusReferences
  }

  /// Whether an internal node leads to a free block: then the whole node is an older one.
  func isSuperseded(_ block: MetadataBlock) -> Bool {
    let skeleton = reader.mappings.skeleton
    guard let index = skeleton.index(of: block) else { return false }
    let free = metadata.surpluses.filter { $0.stored == 0 }
    return skeleton.children[skeleton.nodes[index].entries].contains { child in
      free.contains { $0.blocks.contains(UInt64(child)) }
    }
  }

  /// Whether anything has more references than are counted, or can't be right.
  var isContradicted: Bool {
    !surplusBlocks.isEmpty || !surplusMapBlocks.isEmpty || !surplusData.isEmpty || hasTooMany
      || hasTreesAtOdds
  }

  /// Whether the only contradictions are keys that don't fit those of their parents.
  var hasMisfitsOnly: Bool {
    let mappings = reader.mappings
    return !mappings.misfitNodes.isEmpty && surplusBlocks.isEmpty && surplusMapBlocks.isEmpty
      && surplusData.isEmpty && !hasTooMany && mappings.crossLinked.isEmpty
      && reader.topLevel.crossLinked.isEmpty && reader.details.crossLinked.isEmpty
      && !reader.topLevel.isLedAstray && !reader.details.isLedAstray
  }

  /// Whether nodes have keys that their parents don't allow, and devices don't have as many
  /// mappings as their details say, by more than a wrong key a node, which costs one mapping.
  var hasNodesOutOfPlace: Bool {
    let mappings = reader.mappings
    let odd = devicesAtOdds
    if mappings.misfitNodes.isEmpty || odd.isEmpty { return false }
    if mappings.misfitNodes.allSatisfy({ mappings.misfit(at: $0)?.canBeOneKey == false }) {
      return true
    }
    let totals = pool.counts.totals
    return odd.contains { device in
      let count = totals[below: device.root].entryCount
      let (missing, isTooMany) =
        (device.details?.mappedBlocks ?? 0).subtractingReportingOverflow(count)
      return isTooMany || missing > UInt64(mappings.misfitNodes.count)
    }
  }

  /// Whether the only contradictions are data blocks mapped for two virtual blocks or at two times:
  /// they were allocated twice, and what is gone is data.
  var hasTwoOwnersOnly: Bool {
    guard surplusBlocks.isEmpty, surplusMapBlocks.isEmpty, !hasTreesAtOdds, !hasTooMany,
      mappedAtOdds.isEmpty, !surplusData.isEmpty, !areExchangedInOneLeaf
    else { return false }
    let witnesses = Survivors(reader, of: surplusData).witnesses
    return surplusData.allSatisfy { witnesses[$0]?.isUnanimous == false }
  }

  /// Whether there are few surplus references and as many missing, and one leaf maps every data
  /// block with a surplus: then its entries are wrong, and nothing was allocated twice.
  private var areExchangedInOneLeaf: Bool {
    guard data.isComplete, surplusData.count > 1, surplusData.count <= PoolJudgement.maxExchanged,
      data.missingReferences == UInt64(surplusData.count),
      data.surpluses.allSatisfy({ $0.counted - $0.stored == 1 })
    else { return false }
    return Contested.leaves(reader, surplusData).contains { leaf in
      surplusData.isSubset(of: leaf.entries.map(\.mapping.dataBlock))
    }
  }

  /// Whether more is wrong than numbers in the details, which are counted anew: blocks with more
  /// references than are counted, or pointers that lead nowhere.
  var needsExplanation: Bool {
    if !surplusBlocks.isEmpty || !surplusMapBlocks.isEmpty || hasTreesAtOdds { return true }
    // A tree that no list has may be that of a device without one.
    if reader.devices.contains(where: { $0.root == nil }), !metadata.deficits.isEmpty {
      return true
    }
    let hasSurplusData = !surplusData.isEmpty || hasTooMany
    if !mappedAtOdds.isEmpty { return hasSurplusData || !metadata.deficits.isEmpty }
    // Where no data block lacks a reference, some are counted too low: kernels have done that. The
    // devices that share them have lost data, but no mapping.
    return hasSurplusData && !data.deficits.isEmpty
  }
}
