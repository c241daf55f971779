internal import PersistentData

/// Where a tool that makes metadata up writes it: a device, or a file. That takes up room only
/// where it is written to, and its name only when it is whole.
struct GeneratedOutput {
  /// Names what is written: a device, or a file that is made.
  let path: String
  /// Whether what is there may be overwritten.
  let isForced: Bool
  /// Blocks that a file shall have; what is needed and some more unless given.
  let sizeBlocks: UInt64?

  /// The wrong size of a file, as a sentence; `nil` where there is none.
  static func problem(size: UInt64?) -> String? {
    guard let size, !(1...MetadataBlock.maximumCount).contains(size) else { return nil }
    return "--size is from 1 to \(MetadataBlock.maximumCount) blocks, all that kernels use"
  }

  /// Opens the output and has `write` fill it; returns the metadata space map of what was written.
  /// `roomyBlocks`: what a file is given, unless its size was asked for. `spaceMap`: takes it out
  /// of a superblock.
  func write(
    roomyBlocks: UInt64, spaceMap: (RawSpan) -> SpaceMapRoot,
    _ write: (BlockFile) throws(WriteError) -> Void
  ) throws(Failure) -> SpaceMapRoot {
    let (file, replacement) = try open(blocks: sizeBlocks ?? roomyBlocks)
    do throws(WriteError) { try write(file) } catch { throw Failure(error, path) }
    do throws(IOError) {
      let map = try file.withBlock(.superblock, spaceMap)
      try replacement?.commit()
      return map
    } catch {
      throw Failure(output: error)
    }
  }

  private func open(
    blocks: UInt64
  ) throws(Failure) -> (file: BlockFile, replacement: FileReplacement?) {
    if let device = try existingDevice() { return (device, nil) }
    do throws(IOError) {
      let replacement = try FileReplacement(path)
      return (try BlockFile(making: replacement, blockCount: blocks), replacement)
    } catch {
      throw Failure(output: error)
    }
  }

  /// The device to write to; `nil` when there is nothing, or a file that may be made anew.
  private func existingDevice() throws(Failure) -> BlockFile? {
    let file: BlockFile
    do throws(IOError) { file = try BlockFile(path, .write) } catch {
      switch error {
      case .notFound: return nil
      case .tooSmall(_, let size):
        if size > 0, !isForced { throw refusal("is not empty") }
        return nil
      default: throw Failure(output: error)
      }
    }
    guard file.isBlockDevice else {
      if !isForced { throw refusal("is not empty") }
      return nil
    }
    if sizeBlocks != nil { throw Failure(.usage, "--size is for files: a device has a size") }
    let kind: InputKind
    do throws(IOError) { kind = try InputKind(of: file) } catch { throw Failure(output: error) }
    if kind != .zeroes, !isForced { throw refusal("is not empty") }
    return file
  }

  private func refusal(_ reason: String) -> Failure {
    Failure(.outputRefused, "'\(path)' \(reason); --force overwrites it")
  }
}
