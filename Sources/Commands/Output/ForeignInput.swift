internal import MetadataXML
internal import PersistentData
internal import ThinMetadata

extension InputKind {
  /// What to do with such an input where the metadata of a thin pool is wanted, as a sentence goes
  /// on after a semicolon; `nil` where there is nothing to say.
  func advice(_ path: String) -> String? {
    switch self {
    case .metadata(.cacheSuperblock): "cache_check, cache_dump and cache_repair are for that"
    case .metadata(.eraSuperblock): "era_check, era_dump and era_repair are for that"
    case .unfinished: "run it again, its input is still what it was"
    case .undo: "'thin_check --undo \(path) DEVICE' puts back what it keeps"
    case .xml: "'thin_restore -i \(path) -o NEW' makes metadata of it"
    case .pack: "'thin_metadata_unpack -i \(path) -o NEW' unpacks it"
    case .gzip: "unpack it first, with gunzip"
    case .xz: "unpack it first, with xz -d"
    case .zstd: "unpack it first, with zstd -d"
    case .qcow2: "name the metadata device inside it (qemu-nbd shows a guest's disks)"
    case .luks: "open it with cryptsetup, and name the metadata device inside it"
    case .lvm, .ext, .xfs, .btrfs, .swap, .partitionTable:
      "with LVM the metadata of VG/POOL is \(Advice.Commands.component)"
    case .metadata, .zeroes, .unknown: nil
    }
  }
}

extension Failure {
  /// An input that is something else than metadata.
  init(foreign path: String, _ kind: InputKind) {
    let name = kind.name ?? "something else"
    let advice = kind.advice(path).map { "; \($0)" } ?? ""
    self.init(
      .notMetadata, "'\(path)' is not the metadata of a thin pool: this is \(name)\(advice)")
  }

  /// An input whose block 0 is something that may have been put over a superblock.
  fileprivate init(
    withoutSuperblock file: BlockFile, _ path: String, _ kind: InputKind, isSearched: Bool
  ) {
    let found = "block 0 is \(kind.name ?? "lost")"
    if isSearched {
      self.init(
        .notMetadata,
        "'\(path)' is not the metadata of a thin pool: \(found), and none of the others leads to a "
          + "pool; is it the right device?")
      return
    }
    let risk = kind == .zeroes ? ": the kernel would format it" : ""
    let lines =
      [
        "'\(path)' is not the metadata of a thin pool, or no longer: \(found). Is this the right "
          + "device? If it is, don't activate the pool\(risk)."
      ] + Advice.Commands.search(path, blockCount: file.blockCount)
    self.init(.notMetadata, lines.joined(separator: "\n"))
  }

  /// An input that should be XML and isn't, if it is something that we know.
  init?(notXML path: String) {
    guard let file = try? BlockFile(path, .readInUse), let kind = try? InputKind(of: file),
      let name = kind.name, kind != .xml
    else { return nil }
    switch kind {
    case .metadata(.thinSuperblock):
      self.init(
        .notMetadata,
        "'\(path)' is not XML: this is the metadata of a thin pool; 'thin_dump \(path) -o XML' "
          + "writes it as XML, and thin_repair takes it as it is")
    case .gzip, .xz, .zstd:
      let advice = kind.advice(path).map { "; \($0)" } ?? ""
      self.init(.notMetadata, "'\(path)' is not XML: this is \(name)\(advice)")
    default: self.init(.notMetadata, "'\(path)' is not XML: this is \(name)")
    }
  }
}

extension Tool {
  /// Stops when block 0 is the sound superblock of a cache or an era device: its trees and space
  /// map can look like what a pool has left.
  func refuseOtherTarget(_ file: BlockFile, _ path: String) throws(Failure) {
    let kind: InputKind
    do throws(IOError) { kind = try InputKind(of: file) } catch { throw Failure(input: error) }
    switch kind {
    case .metadata(.cacheSuperblock), .metadata(.eraSuperblock):
      throw Failure(foreign: path, kind)
    default: return
    }
  }

  /// Stops when the input is something else, and says what. A block 0 that is simply damaged, or
  /// lost, is no reason to stop: there may be a pool behind it.
  ///
  /// `isSearched`: whether the other blocks were gone through, without success.
  func refuseForeignInput(
    _ file: BlockFile, _ path: String, isSearched: Bool = false
  ) throws(Failure) {
    let kind: InputKind
    do throws(IOError) { kind = try InputKind(of: file) } catch { throw Failure(input: error) }
    switch kind {
    case .unknown, .metadata(.thinSuperblock): return
    case .zeroes, .metadata(.btreeNode), .metadata(.bitmap), .metadata(.metadataIndex),
      .metadata(.array):
      throw Failure(withoutSuperblock: file, path, kind, isSearched: isSearched)
    case .metadata, .unfinished, .undo, .xml, .pack, .gzip, .xz, .zstd, .qcow2, .luks, .lvm, .ext,
      .xfs, .btrfs, .swap, .partitionTable:
      throw Failure(foreign: path, kind)
    }
  }
}
