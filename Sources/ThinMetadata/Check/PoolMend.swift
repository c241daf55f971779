package import PersistentData

/// What mending a pool in place will write: blocks of the space maps first, then devices' details,
/// the superblock last.
package struct PoolMend: InPlaceMend {
  let dataMap: SpaceMapMend
  let metadataMap: SpaceMapMend
  /// As it stands.
  let superblock: Superblock
  /// Ascending by device.
  let timesTooLow: [SnapshottedTimeTooLow]

  package func edit(through editor: inout some BlockEditor) throws(IOError) {
    var mended = superblock
    mended.dataSpaceMap = try dataMap.apply(through: &editor)
    mended.metadataSpaceMap = try metadataMap.apply(through: &editor)
    mended.time = try superblock.raise(timesTooLow, in: metadataMap.file, through: &editor)
    mended.needsCheck = false
    try editor.finish { $0 = mended }
  }
}
