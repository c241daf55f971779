internal import CacheMetadata
internal import PersistentData

extension MetadataTarget {
  static var cacheSuperblock: any SuperblockFormat.Type { CacheSuperblock.self }
}
