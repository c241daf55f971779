internal import MetadataXML
internal import PersistentData
internal import ThinMetadata

extension InputKind {
  /// What to do with such an input where the metadata of a thin pool is wanted, as a sentence goes
  /// on after a semicolon; `nil` where there is nothing to say.
  func advice(_ path: String) -> String? {
    let word = ShellWord(path)
    return switch self {
    case .metadata(.cacheSuperblock): "cache_check, cache_dump and cache_repair are for that"
    case .metadata(.eraSuperblock): "era_check, era_dump and era_repair are for that"
    case .unfinished: "run it again, its input is still what it was"
    case .undo: "this puts back what it keeps:\n  thin_check --undo \(word) DEVICE"
    case .xml: "this makes metadata of it:\n  thin_restore -i \(word) -o NEW"
    case .pack: "this unpacks it:\n  thin_metadata_unpack -i \(word) -o NEW"
    case .foreign(let kind): kind.advice
    case .metadata, .zeroes, .unknown: nil
    }
  }
}

extension ForeignKind {
  fileprivate var advice: String {
    if let unpacker { return "unpack it first, with \(unpacker)" }
    switch self {
    case .tar, .zip, .cpio, .sevenZip: return "unpack it first"
    case .qcow2, .qed, .vmdk, .vhd, .vhdx, .vdi:
      return "name the metadata device inside it (qemu-nbd shows a guest's disks)"
    case .luks: return "open it with cryptsetup, and name the metadata device inside it"
    default: return "with LVM the metadata of VG/POOL is \(Advice.Commands.component)"
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
      ] + Advice.Commands.search(path, blockCount: NewSize.blocks(for: file))
    self.init(.notMetadata, lines.joined(separator: "\n"))
  }

  /// A pool whose superblock something else was written over.
  fileprivate init(overwritten file: BlockFile, _ path: String, _ kind: InputKind) {
    let lines =
      [
        "'\(path)' starts as \(kind.name ?? "something else"), but its other blocks still look "
          + "like the metadata of a thin pool, whose superblock was overwritten, as by mkfs, fdisk "
          + "or pvcreate on the wrong device. Write nothing more to it, and don't activate the "
          + "pool."
      ] + Advice.Commands.search(path, blockCount: NewSize.blocks(for: file))
    self.init(.notMetadata, lines.joined(separator: "\n"))
  }

  /// An input that should be XML and isn't, if it is something that we know.
  init?(notXML path: String) {
    guard let kind = InputKind(ofAny: path), let name = kind.name else { return nil }
    let message = "'\(path)' is not XML: this is \(name)"
    switch kind {
    // What is wrong with text the parser tells better.
    case .xml, .foreign(.text): return nil
    case .metadata(.thinSuperblock):
      self.init(
        .notMetadata,
        message + "; thin_repair takes it as it is, and this makes XML of it:\n"
          + "  thin_dump \(ShellWord(path)) -o XML")
    case .foreign(let foreign) where foreign.unpacker != nil:
      self.init(.notMetadata, message + "; \(foreign.advice)")
    default: self.init(.notMetadata, message)
    }
  }
}

extension InputKind {
  /// What a file or device of any size is; `nil` where it can't be read.
  fileprivate init?(ofAny path: String) {
    do throws(IOError) {
      self = try InputKind(of: BlockFile(path, .readInUse))
    } catch .tooSmall {
      guard let kind = try? InputKind(ofSmall: path) else { return nil }
      self = kind
    } catch {
      return nil
    }
  }
}

extension Tool {
  /// The failure to open an input that is too small for metadata: it may be something that has a
  /// name.
  func failure(tooSmall error: IOError, _ path: String) -> Failure {
    guard let kind = try? InputKind(ofSmall: path) else { return Failure(input: error) }
    switch kind {
    case .undo, .xml, .pack, .foreign: return Failure(foreign: path, kind)
    case .metadata, .unfinished, .zeroes, .unknown: return Failure(input: error)
    }
  }

  /// Stops when block 0 is the sound superblock of a cache or an era device: its trees and space
  /// map can look like what a pool has left.
  func refuseOtherTarget(_ file: BlockFile, _ path: String) throws(Failure) {
    let kind = try kind(of: file)
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
    let kind = try kind(of: file)
    switch kind {
    case .unknown, .metadata(.thinSuperblock): return
    case .zeroes, .metadata(.btreeNode), .metadata(.bitmap), .metadata(.metadataIndex),
      .metadata(.array):
      throw Failure(withoutSuperblock: file, path, kind, isSearched: isSearched)
    case .foreign, .xml, .pack:
      // A number may look like anything: what is left of a superblock counts for more.
      if isSuperblock(file) { return }
      if !isSearched, PoolTraces.stand(in: file) {
        throw Failure(overwritten: file, path, kind)
      }
      throw Failure(foreign: path, kind)
    case .metadata, .unfinished, .undo: throw Failure(foreign: path, kind)
    }
  }

  private func kind(of file: BlockFile) throws(Failure) -> InputKind {
    do throws(IOError) { return try InputKind(of: file) } catch { throw Failure(input: error) }
  }

  /// Whether block 0 is a pool's superblock, damaged or not.
  private func isSuperblock(_ file: BlockFile) -> Bool {
    (try? file.withBlock(.superblock) { bytes in
      Superblock(bytes).isRecognizable || CorrectedSuperblock(bytes, home: .superblock) != nil
    }) ?? false
  }
}
