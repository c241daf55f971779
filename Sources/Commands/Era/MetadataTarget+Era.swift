internal import EraMetadata
internal import PersistentData

extension MetadataTarget {
  static var eraSuperblock: any SuperblockFormat.Type { EraSuperblock.self }
}
