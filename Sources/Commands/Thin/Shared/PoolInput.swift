internal import MetadataXML
internal import PersistentData
internal import ThinMetadata

extension Tool {
  /// Opens a pool to read: the live pool, or its metadata snapshot.
  ///
  /// Faults below the superblock are in the reader's findings. The keys of the mapping trees'
  /// internal nodes are freed to save memory.
  func openPool(
    _ path: String, metadataSnapshot: Bool, skippingMappings: Bool = false
  ) throws(Failure) -> PoolReader {
    let file = try openInput(path, metadataSnapshot ? .readInUse : .read)
    try refuseForeignInput(file, path)
    if metadataSnapshot { try requireMetadataSnapshot(file, path) }
    var choice = RootChoice()
    choice.metadataSnapshot = metadataSnapshot
    choice.skipsMappings = skippingMappings
    choice.forgetsKeys = true
    do throws(DumpError) {
      let reader = try PoolReader.open(file, choosing: choice)
      // The live pool may be changing, so it is no substitute.
      if metadataSnapshot, reader.heldSuperblock == nil { throw .damaged(reader.findings) }
      return reader
    } catch {
      switch error {
      case .damaged(let findings):
        shared.messages.say(findings)
        throw Failure(
          .damaged, "the metadata is damaged; 'thin_check \(path)' tells more")
      case .output(let failure): throw Failure(failure)
      }
    }
  }

  /// Makes a full check of a pool, and fails if anything is wrong that data may depend on.
  func checkedPool(_ file: BlockFile, _ path: String) throws(Failure) -> CheckedPool {
    try refuseForeignInput(file, path)
    let bar = ProgressBar(file.progress, isQuiet: shared.quiet)
    let report = CheckReport(of: file, CheckScope())
    _ = consume bar
    guard let pool = CheckedPool(file, report) else {
      shared.messages.say(report.findings)
      throw Failure(
        .damaged,
        "the metadata is damaged, so no block is certain to be free; 'thin_check' tells more. "
          + "Nothing was changed")
    }
    return pool
  }

  /// Fails if there is no metadata snapshot: the live pool may be changing, so it is no substitute.
  /// A damaged superblock is reported later, when the pool is read.
  func requireMetadataSnapshot(_ file: BlockFile, _ path: String) throws(Failure) {
    let isMissing: Bool
    do throws(IOError) {
      isMissing = try file.withBlock(.superblock) { bytes in
        BlockKind(of: bytes) == .thinSuperblock && Superblock(bytes).heldRoot == 0
      }
    } catch {
      throw Failure(input: error)
    }
    if isMissing {
      throw Failure(
        .noInput,
        "'\(path)' has no metadata snapshot; 'dmsetup message VG-POOL-tpool 0 "
          + "reserve_metadata_snap' makes one")
    }
  }
}
