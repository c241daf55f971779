internal import ArgumentParser
internal import PersistentData
internal import ThinMetadata

/// `thin_ls`: lists the devices of a thin pool, and what deleting some of them would free.
struct ThinLs: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_ls",
    abstract: "List devices; tell what deleting some would free.",
    discussion: "Fields: \(ListField.allCases.map(\.rawValue).joined(separator: ", ")).",
    version: Toolbox.version)

  @Argument(help: ArgumentHelp("The metadata device or file; it is only read.", valueName: "file"))
  var input: String
  @Flag(name: .shortAndLong, help: "List what the metadata snapshot has.")
  var metadataSnap = false
  @Flag(help: "Leave out the line of headings.") var noHeaders = false
  @Option(
    name: .customShort("o", allowingJoined: true),
    help: ArgumentHelp("The fields to list, separated by commas.", valueName: "fields"))
  var fields: String?
  @Option(
    help: ArgumentHelp(
      "How to list; or fields, as with -o. (values: text, json)", valueName: "format"))
  var format: String?
  @Option(
    help: ArgumentHelp(
      "Tell how many blocks come free when these devices are deleted together.",
      valueName: "ids"))
  var freeIfDeleted: String?
  @OptionGroup var names: NameOptions
  @OptionGroup var shared: SharedOptions

  static func normalized(_ arguments: [String]) -> [String] {
    arguments.map(MetadataSnapshotOption.normalized)
  }

  func validate() throws {
    if fields != nil, format != nil, format != "json", format != "text" {
      throw ValidationError("the fields are given twice, with -o and with --format")
    }
    if freeIfDeleted != nil, fieldNames != nil || noHeaders {
      throw ValidationError("--free-if-deleted lists nothing: it takes no fields or headings")
    }
    for name in fieldNames ?? [] where ListField(rawValue: name) == nil {
      throw ValidationError(
        "there is no field '\(name)'; there are "
          + ListField.allCases.map(\.rawValue).joined(separator: ", "))
    }
    if names.file == nil, fieldNames?.contains(ListField.name.rawValue) == true {
      throw ValidationError("the field NAME needs --names")
    }
  }

  private var isJSON: Bool { format == "json" }

  private var fieldNames: [String]? {
    let list = fields ?? (isJSON || format == "text" ? nil : format)
    return list?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }

  private var chosen: [ListField]? { fieldNames?.compactMap(ListField.init) }

  func run() throws(Failure) {
    let fields = chosen ?? ListField.usual.inserted(.name, after: .dev, if: names.file != nil)
    // A JSON document has all fields, unless some were chosen.
    let counts = isJSON && chosen == nil || fields.contains(where: \.needsCounts)
    let reader = try openPool(
      input, metadataSnapshot: metadataSnap, skippingMappings: !counts && freeIfDeleted == nil)
    let volumeNames = try names.read()
    if let freeIfDeleted { return try tellFreed(freeIfDeleted, reader, volumeNames) }
    let bar = ProgressBar(reader.file.progress, isQuiet: shared.quiet)
    let listing = PoolListing(reader, counting: counts, names: volumeNames)
    _ = consume bar
    shared.messages.say(listing.findings)
    if isJSON {
      do throws(ByteSink.Failure) {
        try ListDocument(listing, input: input, ofMetadataSnapshot: metadataSnap)
          .write(to: .standardOutput)
      } catch {
        throw Failure(error)
      }
    } else {
      try write(ListTable(listing, fields, hasHeadings: !noHeaders).lines)
    }
    try reportDamage(listing)
  }

  private func reportDamage(_ listing: PoolListing) throws(Failure) {
    for device in listing.miscounted {
      shared.messages.say(
        "Device \(device.id): its details say \(device.details?.mappedBlocks ?? 0) mapped blocks, "
          + "but \(device.counts?.mapped ?? 0) are mapped.")
    }
    let lost = listing.devices.filter { $0.details == nil }.map(\.id)
    if !lost.isEmpty { shared.messages.say("Without readable details: \(lost.deviceIDs).") }
    if !listing.isDamaged { return }
    let uncounted = listing.uncounted
    throw Failure(
      .damaged,
      "the metadata is damaged"
        + (uncounted.isEmpty
          ? ""
          : ", so blocks can't be counted of device\(uncounted.count == 1 ? "" : "s") "
            + uncounted.deviceIDs)
        + "; 'thin_check \(input)' tells more; new metadata from thin_repair can be counted")
  }

  // MARK: What deleting would free

  private func tellFreed(
    _ list: String, _ reader: PoolReader, _ names: VolumeNames
  ) throws(Failure) {
    var reader = reader
    let ids = try devices(list, reader, names)
    let bar = ProgressBar(reader.file.progress, isQuiet: shared.quiet)
    let freed = FreedBlocks(byDeleting: ids, from: &reader)
    _ = consume bar
    shared.messages.say(reader.findings)
    guard let freed else {
      throw Failure(
        .damaged,
        "the metadata is damaged, so what would come free is not known; 'thin_check \(input)' "
          + "tells more")
    }
    let sectors = UInt64(reader.chosenSuperblock.dataBlockSectors)
    if isJSON {
      do throws(ByteSink.Failure) {
        try FreedDocument(freed, ids.sorted(), input: input, sectorsPerBlock: sectors)
          .write(to: .standardOutput)
      } catch {
        throw Failure(error)
      }
      return
    }
    try write(["\(freed.count) blocks (\(ByteCount.text(blocks: freed.count, sectors))) come free"])
    if freed.heldCount > 0 {
      shared.messages.say(
        "The metadata snapshot holds \(freed.heldCount) more "
          + "(\(ByteCount.text(blocks: freed.heldCount, sectors))) until it is released.")
    }
  }

  /// The devices of a list of ids and names.
  private func devices(
    _ list: String, _ reader: PoolReader, _ names: VolumeNames
  ) throws(Failure) -> Set<UInt64> {
    let known = Set(reader.devices.map(\.id))
    var ids: Set<UInt64> = []
    for word in list.split(separator: ",", omittingEmptySubsequences: false) {
      guard let id = UInt64(word) ?? names.id(of: String(word)) else {
        throw Failure(
          .usage,
          "'\(word)' is not a device's id"
            + (self.names.file == nil ? "; names need --names" : ", nor a volume's name"))
      }
      guard known.contains(id) else {
        throw Failure(
          .noInput,
          "there is no device \(id) in '\(input)'; it has \(known.sorted().deviceIDs)")
      }
      ids.insert(id)
    }
    return ids
  }
}

extension [ListField] {
  /// The fields, with `field` inserted after `other` if wanted.
  fileprivate func inserted(
    _ field: ListField, after other: ListField, if isWanted: Bool
  ) -> [ListField] {
    isWanted ? flatMap { $0 == other ? [$0, field] : [$0] } : self
  }
}

extension ByteCount {
  /// The size of data blocks, in words.
  fileprivate static func text(blocks: UInt64, _ sectorsPerBlock: UInt64) -> String {
    let size = blocks.multipliedReportingOverflow(by: sectorsPerBlock * 512)
    return text(size.overflow ? .max : size.partialValue)
  }
}
