internal import PersistentData

extension Grafting {
  /// Internal nodes that may lack children: remade incompletely, or without some of their pointers.
  var partialNodes: Set<MetadataBlock> {
    Set(nodes.filter { !$0.gaps.isEmpty }.map(\.block)).union(contestedNodes)
  }

  /// Treats as lost the leaves of trees whose size differs from their details, if that isn't all
  /// that is wrong; but not leaves shared with devices whose trees have the right size.
  ///
  /// A single wrong block is found by what it contradicts. Two wrong blocks, or a wrong and a lost
  /// one, can hide each other. Then a tree has to be borne out as a whole.
  ///
  /// `wasClean`: whether nothing was contradicted before nodes were made anew.
  mutating func leaveOutUnproven(
    _ pool: inout PoolReading, wasClean: Bool
  ) -> Bool {
    let judgement = PoolJudgement(pool, partial: partialNodes)
    var odd: [ThinDevice] = []
    if !wasClean, isOpen || judgement.hasMoreAtOddsThanDetails {
      odd = judgement.devicesAtOdds.filter { device in
        guard let before = device.details?.mappedBlocks else { return false }
        // What was left out may be what is missing.
        return judgement.total(of: device) > before
          || contradicted(below: device.root, pool.reader).leftOut.isEmpty
      }
    }
    odd += devicesOfExchanged(pool)
    if odd.isEmpty { return false }
    isOpen = true
    if acceptance >= .likely {
      doubtfulDetails.formUnion(odd.map(\.id))
      return false
    }
    let borneOut = judgement.nodesBorneOut(butFor: odd)
    var leaves: [MetadataBlock: [ClosedRange<UInt64>]] = [:]
    for root in odd.compactMap(\.root) {
      pool.reader.mappings.forEachBottom(
        below: root, entering: { !borneOut.contains($0) }
      ) { bottom in
        guard case .leaf(let leaf, let keys?) = bottom, !borneOut.contains(leaf) else { return }
        leaves[leaf, default: []].append(keys)
      }
    }
    hasUnproven = !leaves.isEmpty
    for (leaf, keys) in leaves { leftOut[leaf, default: []] += keys.joined }
    pool.leaveOut(Dictionary(uniqueKeysWithValues: leaves.keys.map { ($0, [0...UInt64.max]) }))
    return true
  }

  /// If mappings are newer than devices that share them allow once nodes were remade: the devices
  /// with these nodes, or with others that may have led to the children put there.
  ///
  /// A kernel never leaves such times. So a child was put into the wrong node, misled by an older
  /// node that leads to another's children.
  private func devicesOfExchanged(_ pool: PoolReading) -> [ThinDevice] {
    let reader = pool.reader
    let made = nodes.filter { $0.tree == .mapping }.map(\.block)
    guard !made.isEmpty, !pool.snapshottedTimesTooLow.isEmpty else { return [] }
    let skeleton = reader.mappings.skeleton
    let places = made.compactMap { skeleton.index(of: $0) }.map { skeleton.nodes[$0] }
    let suspects = Set(
      skeleton.nodes.filter { node in
        places.contains {
          $0.height == node.height && $0.first <= node.last && node.first <= $0.last
        }
      }.map(\.block))
    return (reader.devices + reader.heldDevices).filter { device in
      guard let root = device.root else { return false }
      return !suspects.isDisjoint(with: reader.mappings.internalNodes(below: root))
    }
  }
}

extension PoolJudgement {
  /// Whether nodes are lost or contradicted, and not only numbers in the details.
  fileprivate var hasMoreAtOddsThanDetails: Bool {
    if hasMisfitsOnly, !hasNodesOutOfPlace, !reader.hasHoles { return false }
    return reader.hasHoles || hasTreesAtOdds || !surplusBlocks.isEmpty || !surplusMapBlocks.isEmpty
      || !surplusData.isEmpty || hasTooMany
  }

  fileprivate func total(of device: ThinDevice) -> UInt64 {
    device.root.map { pool.counts.totals[below: $0].entryCount } ?? 0
  }

  /// The nodes and leaves in mapping trees of devices that agree with their details and aren't
  /// among `others`.
  func nodesBorneOut(butFor others: [ThinDevice] = []) -> Set<MetadataBlock> {
    let odd = Set(devicesAtOdds + others)
    let skeleton = reader.mappings.skeleton
    var found: Set<MetadataBlock> = []
    var open = (reader.devices + reader.heldDevices).filter { !odd.contains($0) }
      .compactMap(\.root)
    while let block = open.popLast() {
      guard found.insert(block).inserted, let index = skeleton.index(of: block) else { continue }
      for entry in skeleton.nodes[index].entries where skeleton.children[entry] != 0 {
        open.append(MetadataBlock(skeleton.children[entry]))
      }
    }
    return found
  }
}
