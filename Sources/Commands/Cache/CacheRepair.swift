internal import ArgumentParser
internal import CacheMetadata
internal import PersistentData

/// `cache_repair`: writes new metadata from everything that can be read of damaged metadata.
struct CacheRepair: Tool {
  static let configuration = CommandConfiguration(
    commandName: "cache_repair",
    abstract: "Write new cache metadata from what is left of the old.",
    usage: """
      cache_repair [OPTION ...] --input FILE --output FILE
      cache_repair [OPTION ...] --input FILE --dry-run
      """,
    version: Toolbox.version)

  @OptionGroup var files: RepairFiles
  @OptionGroup var overrides: CacheOverrideOptions
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    let input = files.input
    try repair(files, CacheRepairDocument(input: input), of: .cache) {
      (source, target, document) throws(Failure) in
      let salvage = try salvage(source, input, overrides.values)
      document.salvage = salvage
      document.common.summary = CacheSalvageSummary(salvage).lines
      try restore(salvage, from: source, to: target, files, &document)
    }
  }
}

/// Options for what the superblock doesn't tell, or tells wrongly.
struct CacheOverrideOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Sectors in a data block, where the metadata can't tell.",
      valueName: "sectors"))
  var dataBlockSize: UInt32?
  @Option(
    help: ArgumentHelp("Blocks of the cache, where the metadata can't tell.", valueName: "count"))
  var nrCacheBlocks: UInt32?
  @Option(
    help: ArgumentHelp("The cache's policy, where the metadata can't tell.", valueName: "name"))
  var policy: String?
  @Option(
    help: ArgumentHelp(
      "The form of the metadata, 1 or 2, where it can't tell.",
      valueName: "number"))
  var metadataVersion: UInt32?

  func validate() throws {
    if let policy, policy.utf8.isEmpty || policy.utf8.count > 15 {
      throw ValidationError("--policy takes a name of 1 to 15 bytes")
    }
    if let metadataVersion, metadataVersion != 1, metadataVersion != 2 {
      throw ValidationError("--metadata-version is 1 or 2")
    }
  }

  var values: CacheOverrides {
    var values = CacheOverrides()
    values.dataBlockSectors = dataBlockSize
    values.cacheBlockCount = nrCacheBlocks
    values.policy = policy
    values.version = metadataVersion
    return values
  }
}

extension Tool {
  /// Salvages damaged cache metadata, or fails with the reason why nothing can be salvaged.
  func salvage(
    _ file: BlockFile, _ path: String, _ overrides: CacheOverrides
  ) throws(Failure) -> CacheSalvage {
    try refuseOtherTarget(file, path, for: .cache)
    do throws(CacheSalvageError) {
      return try CacheSalvage(file, overriding: overrides)
    } catch {
      switch error {
      case .nothingFound:
        try refuseForeignInput(file, path, for: .cache, isSearched: true)
        throw Failure(
          .notMetadata,
          "'\(path)' has no superblock of a cache, and no other block of one; is it the right "
            + "device?")
      case .newestStateUnknown(let states):
        throw Failure(
          .damaged,
          "the superblock of '\(path)' is lost, and nothing tells which of the \(states) remaining "
            + "states is the newest. Older ones have mappings that are out of date, so none is "
            + "taken. Keep this metadata; nothing was written")
      case .numbersMissing(let numbers):
        throw Failure(
          .notMetadata,
          "the superblock of '\(path)' is lost, and with it numbers that nothing else holds: give "
            + "them with \(CacheRepair.options(numbers)). LVM shows them: 'lvs -a --nosuffix "
            + "--units s -o name,chunksize,lv_size,cache_policy,cache_metadata_format VG' (the "
            + "number of cache blocks is the size of the cache's data volume divided by the chunk "
            + "size)")
      case .numbersInvalid(let numbers):
        throw Failure(
          .damaged,
          "the superblock of '\(path)' has a number that no cache can have: give the right one "
            + "with \(CacheRepair.options(numbers)); nothing was written")
      }
    }
  }
}

extension CacheRepair {
  fileprivate static func options(_ numbers: [CacheSalvageError.MissingNumber]) -> String {
    numbers.map { number in
      switch number {
      case .dataBlockSectors: "--data-block-size"
      case .cacheBlockCount: "--nr-cache-blocks"
      case .policy: "--policy"
      case .version: "--metadata-version"
      }
    }.joined(separator: ", ")
  }
}
