/// How far a check goes.
package struct CheckScope: Sendable {
  package var roots = RootChoice()
  package var superblockOnly = false
  /// Look at the trees of devices, not at the mappings and not at the space maps.
  package var skipMappings = false

  package init() {}

  /// Space maps count for the whole pool, so only a look at the whole pool can judge them.
  var judgesSpaceMaps: Bool {
    !superblockOnly && !skipMappings && !roots.metadataSnapshot && roots.mappingRoot == nil
      && roots.detailsRoot == nil
  }
}
