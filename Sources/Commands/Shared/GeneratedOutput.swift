internal import PersistentData

/// The output of a tool that makes up metadata: a device or a file. A file is sparse, and gets its
/// name only when it is whole.
struct GeneratedOutput {
  /// A device, or the file to make.
  let path: String
  /// Whether existing contents may be overwritten.
  let isForced: Bool
  /// The size of a file; by default what is needed and some more.
  let sizeBlocks: UInt64?

  /// What is wrong with a file's size, as a sentence; `nil` if nothing.
  static func problem(size: UInt64?) -> String? {
    guard let size, !(1...MetadataBlock.maximumCount).contains(size) else { return nil }
    return "--size must be from 1 to \(MetadataBlock.maximumCount) blocks, the most that kernels "
      + "use"
  }

  /// Opens the output and lets `write` fill it; returns the root of the metadata space map that was
  /// written. `roomyBlocks`: the default size of a file. `spaceMap`: reads that root from a
  /// superblock.
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

  /// The device to write to; `nil` if nothing exists there, or a file that may be replaced.
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
    if sizeBlocks != nil { throw Failure(.usage, "--size is for files; a device has its own") }
    let kind: InputKind
    do throws(IOError) { kind = try InputKind(of: file) } catch { throw Failure(output: error) }
    if kind != .zeroes, !isForced { throw refusal("is not empty") }
    return file
  }

  private func refusal(_ reason: String) -> Failure {
    Failure(.outputRefused, "'\(path)' \(reason); --force overwrites it")
  }
}
