internal import PersistentData
internal import ThinMetadata

extension MetadataTarget {
  static var thinSuperblock: any SuperblockFormat.Type { Superblock.self }

  static let thinPlace = Advice.Commands.component

  /// The commands when there is no superblock, with what a repair of a pool has to be told.
  static func searchOfPool(_ input: String, blockCount: UInt64, isFailing: Bool) -> [String] {
    Advice.Commands.search(input, blockCount: blockCount, isFailing: isFailing)
  }
}
