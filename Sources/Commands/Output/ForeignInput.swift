internal import MetadataXML
internal import PersistentData

extension InputKind {
  /// What to do with such an input if a target's metadata is wanted, to follow a semicolon; `nil`
  /// if there is nothing to say.
  func advice(_ path: String, for target: MetadataTarget) -> String? {
    let word = ShellWord(path)
    switch self {
    case .metadata(let kind):
      return MetadataTarget(superblockKind: kind).map {
        "\($0.tool("check")), \($0.tool("dump")) and \($0.tool("repair")) are for that"
      }
    case .unfinished: return "run it again, as its input is unchanged"
    case .undo:
      return "this puts back what it keeps:\n  \(target.tool("check")) --undo \(word) DEVICE"
    case .xml:
      return "this makes metadata of it:\n  \(target.tool("restore")) -i \(word) -o NEW"
    case .pack: return "this unpacks it:\n  thin_metadata_unpack -i \(word) -o NEW"
    case .foreign(let kind): return kind.advice(for: target)
    case .zeroes, .unknown: return nil
    }
  }
}

extension ForeignKind {
  fileprivate func advice(for target: MetadataTarget) -> String? {
    if let unpacker { return "unpack it first, with \(unpacker)" }
    switch self {
    case .tar, .zip, .cpio, .sevenZip: return "unpack it first"
    case .qcow2, .qed, .vmdk, .vhd, .vhdx, .vdi:
      return "name the metadata device inside it (qemu-nbd shows a guest's disks)"
    case .luks: return "open it with cryptsetup, and name the metadata device inside it"
    default: return target.place.map { "with LVM the metadata of VG/POOL is \($0)" }
    }
  }
}

extension Failure {
  /// An input that isn't metadata.
  init(foreign path: String, _ kind: InputKind, for target: MetadataTarget = .thin) {
    let name = kind.name ?? "something else"
    let advice = kind.advice(path, for: target).map { "; \($0)" } ?? ""
    self.init(
      .notMetadata,
      "'\(path)' is not the metadata of \(target.owner): this is \(name)\(advice)")
  }

  /// An input whose block 0 is something that may have replaced a superblock.
  fileprivate init(
    withoutSuperblock file: BlockFile, _ path: String, _ kind: InputKind,
    for target: MetadataTarget, isSearched: Bool
  ) {
    let found = "block 0 is \(kind.name ?? "lost")"
    if isSearched {
      self.init(
        .notMetadata,
        "'\(path)' is not the metadata of \(target.owner): \(found), and no other block leads to "
          + "\(target.shortOwner); is it the right device?")
      return
    }
    let risk = kind == .zeroes ? ": the kernel would format it" : ""
    let lines =
      [
        "'\(path)' is not the metadata of \(target.owner), or no longer: \(found). Is this the "
          + "right device? If it is, don't activate the \(target.activated)\(risk)."
      ] + target.search(path, blockCount: NewSize.blocks(for: file))
    self.init(.notMetadata, lines.joined(separator: "\n"))
  }

  /// Metadata whose superblock was overwritten.
  fileprivate init(
    overwritten file: BlockFile, _ path: String, _ kind: InputKind, for target: MetadataTarget
  ) {
    let lines =
      [
        "'\(path)' starts as \(kind.name ?? "something else"), but its other blocks still look "
          + "like the metadata of \(target.owner), whose superblock was overwritten, as by mkfs, "
          + "fdisk or pvcreate on the wrong device. Write nothing more to it, and don't activate "
          + "the \(target.activated)."
      ] + target.search(path, blockCount: NewSize.blocks(for: file))
    self.init(.notMetadata, lines.joined(separator: "\n"))
  }

  /// An input that should be XML and isn't, if it is of a known kind.
  init?(notXML path: String, for target: MetadataTarget = .thin) {
    guard let kind = InputKind(ofAny: path), let name = kind.name else { return nil }
    let message = "'\(path)' is not XML: this is \(name)"
    switch kind {
    // The parser's message on bad text is better.
    case .xml, .foreign(.text): return nil
    case .metadata(target.superblock.kind):
      self.init(
        .notMetadata,
        message + "; \(target.tool("repair")) takes it as it is, and this makes XML of it:\n"
          + "  \(target.tool("dump")) \(ShellWord(path)) -o XML")
    case .foreign(let foreign) where foreign.unpacker != nil:
      self.init(.notMetadata, message + (foreign.advice(for: target).map { "; \($0)" } ?? ""))
    default: self.init(.notMetadata, message)
    }
  }
}

extension InputKind {
  /// What a file or device of any size is; `nil` if it can't be read.
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
  /// The failure to open an input that is too small for metadata; names what it is, if known.
  func failure(
    tooSmall error: IOError, _ path: String, for target: MetadataTarget
  ) -> Failure {
    guard let kind = try? InputKind(ofSmall: path) else { return Failure(input: error) }
    switch kind {
    case .undo, .xml, .pack, .foreign: return Failure(foreign: path, kind, for: target)
    case .metadata, .unfinished, .zeroes, .unknown: return Failure(input: error)
    }
  }

  /// Fails if block 0 is the sound superblock of another target, whose trees and space map can look
  /// like remains of this one's.
  func refuseOtherTarget(
    _ file: BlockFile, _ path: String, for target: MetadataTarget = .thin
  ) throws(Failure) {
    let kind = try kind(of: file)
    guard case .metadata(let found) = kind, let other = MetadataTarget(superblockKind: found),
      other != target
    else { return }
    throw Failure(foreign: path, kind, for: target)
  }

  /// Fails if the input is something else, and says what. A block 0 that is merely damaged is no
  /// reason to fail: there may be metadata after it.
  ///
  /// `isSearched`: whether the other blocks were searched without success.
  func refuseForeignInput(
    _ file: BlockFile, _ path: String, for target: MetadataTarget = .thin,
    isSearched: Bool = false
  ) throws(Failure) {
    let kind = try kind(of: file)
    switch kind {
    case .unknown, .metadata(target.superblock.kind): return
    case .zeroes, .metadata(.btreeNode), .metadata(.bitmap), .metadata(.metadataIndex),
      .metadata(.array):
      throw Failure(withoutSuperblock: file, path, kind, for: target, isSearched: isSearched)
    case .foreign, .xml, .pack:
      // A short signature may match by chance; remains of a superblock count for more.
      if isSuperblock(file, target) { return }
      if !isSearched, MetadataTraces.stand(in: file, hasArrays: target != .thin) {
        throw Failure(overwritten: file, path, kind, for: target)
      }
      throw Failure(foreign: path, kind, for: target)
    case .metadata, .unfinished, .undo: throw Failure(foreign: path, kind, for: target)
    }
  }

  private func kind(of file: BlockFile) throws(Failure) -> InputKind {
    do throws(IOError) { return try InputKind(of: file) } catch { throw Failure(input: error) }
  }

  /// Whether block 0 is the target's superblock, damaged or not.
  private func isSuperblock(_ file: BlockFile, _ target: MetadataTarget) -> Bool {
    (try? file.withBlock(.superblock) { target.superblock.stands(in: $0) }) ?? false
  }
}
