internal import PersistentData

extension PoolReader {
  /// Whether the metadata space map has leaves in use that this reader has not reached, and that
  /// hold mappings; or the map can't tell of some. Reads the whole device.
  var hasUnreachedMappings: Bool {
    // Those of a metadata snapshot that is lost are the devices' of another day.
    if hasLostHeldTrees { return false }
    let census = BlockCensus(file, purpose: "looking for mappings in all blocks")
    let deficits = Deficits(self, census)
    return census.nodes.all.contains { node in
      node.isLeafOfNumbers && node.entryCount > 0 && census.pointers[node.block] == nil
        && !usage.isClaimed(node.block) && deficits.isInUse(node.block) != false
    }
  }
}
