package import PersistentData

/// A leaf of mapping trees that can't be read.
package struct LostLeaf: Hashable, Sendable {
  package let block: MetadataBlock
  /// The virtual blocks that it may have mapped.
  package let keys: ClosedRange<UInt64>
  /// How many it did map, where the details of a device tell.
  package internal(set) var mappingCount: UInt64?
  /// What is thought to have stood in it, ascending by virtual block.
  package internal(set) var claims: [LeafClaim] = []

  /// The claims as runs of equal provenance.
  package var claimRuns: [ClaimRun] {
    claims.reduce(into: []) { runs, claim in
      runs.appendJoining(
        ClaimRun(mapping: MappingRun(claim.key, claim.mapping), provenance: claim.provenance))
    }
  }

  /// Claims at least as sure as `provenance`.
  package func claims(upTo provenance: Provenance) -> [LeafClaim] {
    claims.filter { $0.provenance <= provenance }
  }
}

/// A mapping that a lost leaf is thought to have stored.
package struct LeafClaim: Hashable, Sendable {
  package let key: UInt64
  package let mapping: Mapping
  package var provenance: Provenance
}

/// Claims of equal provenance that continue each other.
package struct ClaimRun: Joinable, Sendable {
  package private(set) var mapping: MappingRun
  package let provenance: Provenance

  package mutating func join(_ next: ClaimRun) -> Bool {
    next.provenance == provenance && mapping.join(next.mapping)
  }
}

/// The leaves that a pool has lost, and which devices miss them.
package struct LostLeaves: Sendable {
  /// Ascending by block.
  package internal(set) var leaves: [LostLeaf] = []
  /// Indices of `leaves`, by device of the live pool.
  package private(set) var places: [UInt64: [Int]] = [:]
  /// Whether no two devices disagree on how many mappings leaves stored.
  private(set) var isConsistent = true
  /// Whether the number of mappings is known for every leaf.
  package var hasAllCounts: Bool { leaves.allSatisfy { $0.mappingCount != nil } }

  /// `nil` unless only leaves are lost: how many leaves there were below a lost internal node isn't
  /// known.
  ///
  /// `rootsAreLeaves`: whether a lost root of unknown height can only be a leaf.
  init?(_ pool: PoolReading, rootsAreLeaves: Bool) {
    let mappings = pool.reader.mappings
    let holes = mappings.holes.values.sorted { $0.reference.block < $1.reference.block }
    guard !holes.isEmpty, mappings.crossLinked.isEmpty,
      holes.allSatisfy({ $0.height == 0 || ($0.height == nil && rootsAreLeaves) }),
      holes.allSatisfy({ $0.reference.first <= $0.reference.last })
    else { return nil }
    leaves = holes.map {
      LostLeaf(block: $0.reference.block, keys: $0.reference.first...$0.reference.last)
    }
    let index = Dictionary(uniqueKeysWithValues: zip(leaves.map(\.block), leaves.indices))
    var equations: [Equation] = []
    for missing in pool.missingMappings {
      let own = missing.nodes.compactMap { index[$0] }
      // What a pointer that leads nowhere hides isn't known.
      guard !missing.hasLostPointers, own.count == missing.nodes.count else { return nil }
      equations.append(Equation(leaves: Set(own), missing: missing.count))
      if missing.isLive { places[missing.device] = own }
    }
    solve(equations)
  }

  /// The mappings that a device misses are those of all leaves it has lost.
  private struct Equation {
    var leaves: Set<Int>
    var missing: UInt64?
  }

  /// Works out the number of mappings of each leaf, as far as devices with one unknown leaf tell.
  /// Devices that contradict each other tell nothing.
  private mutating func solve(_ equations: [Equation]) {
    var open = equations
    while let index = open.firstIndex(where: { $0.leaves.count <= 1 }) {
      let equation = open.remove(at: index)
      guard let leaf = equation.leaves.first else {
        if let missing = equation.missing, missing != 0 { isConsistent = false }
        continue
      }
      guard let count = equation.missing else { continue }
      leaves[leaf].mappingCount = count
      for other in open.indices where open[other].leaves.remove(leaf) != nil {
        guard let missing = open[other].missing else { continue }
        if missing < count { isConsistent = false }
        open[other].missing = missing >= count ? missing - count : nil
      }
    }
    if !isConsistent { for index in leaves.indices { leaves[index].mappingCount = nil } }
  }
}
