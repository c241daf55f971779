internal import CSystem
internal import Glibc

/// A data device, or a file that holds its image: what the metadata describes.
///
/// Owns the descriptors. Reads and writes at given offsets, so several threads may use it at once.
/// A block device is opened exclusively: nobody else may have it open. I/O bypasses the page cache,
/// so that a failed write is reported at once, not at the flush, and no stale cached data is read.
package final class DataDevice: Sendable {
  package enum Access: Sendable {
    case read
    case write
  }

  package let path: String
  package let sizeBytes: UInt64
  package let isBlockDevice: Bool
  /// The progress of a job with it.
  package let progress = Progress()
  /// How it takes discards.
  package let discardLimits: DiscardLimits
  private let descriptor: Int32
  /// The same, bypassing the page cache; -1 for a file, and if that isn't possible.
  private let direct: Int32

  package init(_ path: String, _ access: Access) throws(IOError) {
    var status = stat()
    guard unsafe stat(FileName.onDisk(path), &status) == 0 else {
      let code = errno
      throw code == ENOENT || code == ENOTDIR
        ? .notFound(path: path) : .cannotOpen(path: path, errno: code)
    }
    let type = status.st_mode & S_IFMT
    guard type == S_IFREG || type == S_IFBLK else { throw .notAFileOrDevice(path: path) }
    var flags = (access == .write ? O_RDWR : O_RDONLY) | O_CLOEXEC
    if type == S_IFBLK { flags |= O_EXCL }
    let descriptor = unsafe open(FileName.onDisk(path), flags)
    guard descriptor >= 0 else {
      throw errno == EBUSY ? .inUse(path: path) : .cannotOpen(path: path, errno: errno)
    }
    let isReadOnly =
      type == S_IFBLK && access == .write && dmm_block_device_is_read_only(descriptor)
    let size = type == S_IFBLK ? dmm_block_device_size(descriptor) : Int64(status.st_size)
    guard size >= 0, !isReadOnly else {
      let code = errno
      close(descriptor)
      throw isReadOnly
        ? .readOnly(path: path)
        : .callFailed(call: "asking for the size of '\(path)'", errno: code)
    }
    self.path = path
    self.descriptor = descriptor
    sizeBytes = UInt64(size)
    isBlockDevice = type == S_IFBLK
    discardLimits = isBlockDevice ? DiscardLimits(ofDevice: UInt64(status.st_rdev)) : .ofFile
    direct =
      type == S_IFBLK
      ? unsafe open(FileName.onDisk(path), (flags & ~O_EXCL) | dmm_o_direct) : -1
  }

  deinit {
    close(descriptor)
    if direct >= 0 { close(direct) }
  }

  /// Fills `buffer` from byte `offset` on.
  func read(into buffer: UnsafeMutableRawBufferPointer, from offset: UInt64) throws(IOError) {
    var done = 0
    while done < buffer.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let place = offset + UInt64(done)
      let count = unsafe transfer(with: pread, rest.baseAddress, rest.count, at: place)
      if count > 0 {
        done += count
      } else if count == 0 || errno != EINTR {
        let code = count == 0 ? ENXIO : errno
        throw .callFailed(call: "reading '\(path)' at byte \(place)", errno: code)
      }
    }
  }

  /// Writes `buffer` from byte `offset` on. This never makes a file grow.
  func write(_ buffer: UnsafeRawBufferPointer, to offset: UInt64) throws(IOError) {
    let (end, isHuge) = offset.addingReportingOverflow(UInt64(buffer.count))
    guard !isHuge, end <= sizeBytes else {
      throw .callFailed(call: "writing '\(path)' at byte \(offset)", errno: ENOSPC)
    }
    var done = 0
    while done < buffer.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
      let place = offset + UInt64(done)
      let count = unsafe transfer(with: pwrite, rest.baseAddress, rest.count, at: place)
      if count > 0 {
        done += count
      } else if count == 0 || errno != EINTR {
        let code = count == 0 ? ENOSPC : errno
        throw .callFailed(call: "writing '\(path)' at byte \(place)", errno: code)
      }
    }
  }

  /// Tells the device that these bytes are no longer needed; a file gets a hole. Afterwards, reads
  /// there may return anything.
  func discard(_ bytes: Range<UInt64>) throws(IOError) {
    let code = dmm_discard(
      descriptor, isBlockDevice, bytes.lowerBound, bytes.upperBound - bytes.lowerBound)
    guard code == 0 else {
      throw .callFailed(
        call: "discarding bytes \(bytes.lowerBound) to \(bytes.upperBound) of '\(path)'",
        errno: code)
    }
  }

  /// Bypasses the page cache unless the device refuses: it does for offsets that don't fit its
  /// sectors.
  private func transfer<Address>(
    with call: (Int32, Address, Int, off_t) -> Int, _ address: Address, _ count: Int,
    at place: UInt64
  ) -> Int {
    if direct >= 0 {
      let result = call(direct, address, count, off_t(place))
      if result >= 0 || errno != EINVAL { return result }
    }
    return call(descriptor, address, count, off_t(place))
  }

  /// Returns once everything written is on stable storage.
  package func flush() throws(IOError) {
    guard fsync(descriptor) == 0 else {
      throw .callFailed(call: "flushing '\(path)'", errno: errno)
    }
  }
}
