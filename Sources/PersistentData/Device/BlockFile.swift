internal import CSystem
internal import Glibc
internal import Synchronization

/// How reading treats a damaged block.
package enum Treatment: Sendable {
  /// Damage is reported as it is.
  case judge
  /// A single flipped bit is turned back.
  case salvage
}

/// A metadata device, or a file that holds its image.
///
/// Owns the descriptor. Reads and writes whole blocks at given offsets, so several threads may use
/// it at once. Files are opened read-only unless the caller asks to write.
package final class BlockFile: Sendable {
  package enum Access: Sendable {
    /// Nobody else may have the device open.
    case read
    /// The device belongs to a running pool: bypass the page cache, as the pool does.
    case readInUse
    case write
  }

  package let path: String
  /// Whole blocks on the device; a tail shorter than a block is ignored.
  package let blockCount: UInt64
  package let isBlockDevice: Bool
  package let treatment: Treatment
  /// The progress of reading.
  package let progress = Progress()
  let descriptor: Int32
  /// Contents returned for blocks in place of those on the device.
  private let standIns = Mutex<[UInt64: BlockBuffer]>([:])
  private let hasStandIns = Atomic(false)
  private let unreadable = Mutex<Set<UInt64>>([])

  package init(
    _ path: String, _ access: Access, _ treatment: Treatment = .judge
  ) throws(IOError) {
    var status = stat()
    guard unsafe stat(FileName.onDisk(path), &status) == 0 else {
      let code = errno
      throw code == ENOENT || code == ENOTDIR
        ? .notFound(path: path) : .cannotOpen(path: path, errno: code)
    }
    let type = status.st_mode & S_IFMT
    guard type == S_IFREG || type == S_IFBLK else { throw .notAFileOrDevice(path: path) }
    let onDevice = type == S_IFBLK

    var flags = access == .write ? O_RDWR : O_RDONLY
    flags |= O_CLOEXEC
    if onDevice, access != .readInUse { flags |= O_EXCL }
    if onDevice, access == .readInUse { flags |= dmm_o_direct }
    let descriptor = unsafe open(FileName.onDisk(path), flags)
    guard descriptor >= 0 else {
      throw errno == EBUSY ? .inUse(path: path) : .cannotOpen(path: path, errno: errno)
    }
    if onDevice, access == .write, dmm_block_device_is_read_only(descriptor) {
      close(descriptor)
      throw .readOnly(path: path)
    }
    let size = onDevice ? dmm_block_device_size(descriptor) : Int64(status.st_size)
    guard size >= 0 else {
      let code = errno
      close(descriptor)
      throw .callFailed(call: "asking for the size of '\(path)'", errno: code)
    }
    guard size >= MetadataBlock.size else {
      close(descriptor)
      throw .tooSmall(path: path, sizeBytes: UInt64(size))
    }
    // A pool that ran since the page cache was filled has bypassed it.
    if onDevice { dmm_drop_cache(descriptor) }
    self.path = path
    self.treatment = treatment
    self.descriptor = descriptor
    self.isBlockDevice = onDevice
    self.blockCount = UInt64(size) / UInt64(MetadataBlock.size)
  }

  deinit { close(descriptor) }

  /// A new file of `blockCount` zeroed blocks that gets its name when `replacement` is committed.
  package init(making replacement: FileReplacement, blockCount: UInt64) throws(IOError) {
    let path = replacement.path
    let size = off_t(blockCount) * off_t(MetadataBlock.size)
    guard ftruncate(replacement.descriptor, size) == 0 else {
      throw .callFailed(call: "making '\(path)' \(size) bytes long", errno: errno)
    }
    let descriptor = fcntl(replacement.descriptor, F_DUPFD_CLOEXEC, 3)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    self.path = path
    self.descriptor = descriptor
    self.blockCount = blockCount
    treatment = .judge
    isBlockDevice = false
  }

  /// Whether the storage of this file overlaps that of `path`.
  package func isSame(as path: String) -> Bool {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, let other = Storage(path) else { return false }
    return Storage(self.path, status).overlaps(other)
  }

  /// From now on `block` reads as `contents`; the device itself isn't changed.
  package func standIn(for block: MetadataBlock, _ contents: BlockBuffer) {
    standIns.withLock { $0[UInt64(block.number)] = contents }
    hasStandIns.store(true, ordering: .releasing)
  }

  /// From now on `block` reads as it is on the device.
  package func removeStandIn(for block: MetadataBlock) {
    standIns.withLock { $0[UInt64(block.number)] = nil }
  }

  /// Contents that stand in for blocks of the device.
  package struct StandIns: Sendable {
    fileprivate let contents: [UInt64: BlockBuffer]
  }

  /// The current stand-ins. Set it to an earlier value to restore that.
  package var allStandIns: StandIns {
    get { StandIns(contents: standIns.withLock { $0 }) }
    set {
      standIns.withLock { $0 = newValue.contents }
      hasStandIns.store(true, ordering: .releasing)
    }
  }

  /// Fills `buffer`, a whole number of blocks, from block `first` on.
  func read(into buffer: UnsafeMutableRawBufferPointer, from first: UInt64) throws(IOError) {
    do throws(IOError) {
      try unsafe readDevice(into: buffer, from: first)
    } catch {
      // A block that can't be read may still have a stand-in.
      guard unsafe putStandIns(into: buffer, from: first) else { throw error }
      return
    }
    _ = unsafe putStandIns(into: buffer, from: first)
  }

  /// Returns whether every block of the buffer has a stand-in.
  private func putStandIns(
    into buffer: UnsafeMutableRawBufferPointer, from first: UInt64
  ) -> Bool {
    guard hasStandIns.load(ordering: .acquiring) else { return false }
    let size = MetadataBlock.size
    var isComplete = true
    for index in 0..<buffer.count / size {
      let contents = standIns.withLock { $0[first + UInt64(index)] }
      guard let contents else {
        isComplete = false
        continue
      }
      let target = unsafe UnsafeMutableRawBufferPointer(
        rebasing: buffer[index * size..<(index + 1) * size])
      unsafe contents.copyFirstBlock(to: target)
    }
    return isComplete
  }

  private func readDevice(
    into buffer: UnsafeMutableRawBufferPointer, from first: UInt64
  ) throws(IOError) {
    var done = 0
    while done < buffer.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let offset = first * UInt64(MetadataBlock.size) + UInt64(done)
      let count = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset))
      if count > 0 {
        done += count
      } else if count == 0 {
        throw .ended(path: path, block: offset / UInt64(MetadataBlock.size))
      } else if errno != EINTR {
        let code = errno
        let block = offset / UInt64(MetadataBlock.size)
        // A longer read is retried block by block, which finds the bad one.
        if buffer.count == MetadataBlock.size { note(unreadable: block) }
        throw .readFailed(path: path, block: block, errno: code)
      }
    }
  }

  /// Blocks that the device failed to read, ascending; if there are many, not all.
  package var unreadableBlocks: [UInt64] { unreadable.withLock { $0.sorted() } }

  private static let maxUnreadable = 1000

  private func note(unreadable block: UInt64) {
    unreadable.withLock { if $0.count < BlockFile.maxUnreadable { $0.insert(block) } }
  }

  /// Whether the bytes after the last whole block hold `bytes` at some multiple of `step`.
  package func tailHolds(_ bytes: [UInt8], every step: Int) -> Bool {
    var tail = [UInt8](repeating: 0, count: MetadataBlock.size)
    let offset = blockCount * UInt64(MetadataBlock.size)
    let count = unsafe tail.withUnsafeMutableBytes { buffer in
      unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
    }
    return stride(from: 0, to: count, by: step).contains { tail[$0...].starts(with: bytes) }
  }

  /// Writes `buffer`, a whole number of blocks, from block `first` on.
  func write(_ buffer: UnsafeRawBufferPointer, from first: UInt64) throws(IOError) {
    var done = 0
    while done < buffer.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
      let offset = first * UInt64(MetadataBlock.size) + UInt64(done)
      let count = unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset))
      if count > 0 {
        done += count
      } else if count == 0 || errno != EINTR {
        let code = count == 0 ? ENOSPC : errno
        throw .writeFailed(path: path, block: offset / UInt64(MetadataBlock.size), errno: code)
      }
    }
  }

  /// Returns once everything written is on stable storage.
  package func flush() throws(IOError) {
    guard fsync(descriptor) == 0 else {
      throw .callFailed(call: "flushing '\(path)'", errno: errno)
    }
  }
}
