internal import CSystem
internal import Glibc

/// Where the bytes of a path are stored: in a file or a device, and in everything below it.
///
/// A loop device lies on a file, a partition on a disk, a device-mapper device on others. The
/// kernel tells on which, below /sys; a loop device is asked directly.
package struct Storage: Sendable {
  private enum Identity: Hashable, Sendable {
    case file(device: UInt64, inode: UInt64)
    case device(UInt64)
  }

  /// The part used of a file or a device.
  private struct Layer: Sendable {
    let identity: Identity
    /// In bytes; ends at the maximum if it extends to the end of the device.
    var bytes: Range<UInt64> = 0..<UInt64.max
    /// Whether it is all of `bytes`, not an unknown part of it.
    var isExact = true

    func overlaps(_ other: Layer) -> Bool {
      guard identity == other.identity else { return false }
      switch (isExact, other.isExact) {
      case (true, true): return bytes.overlaps(other.bytes)
      // Two volumes of a group lie on one device, each on its own part.
      case (false, false): return false
      case (true, false): return bytes == 0..<UInt64.max
      case (false, true): return other.bytes == 0..<UInt64.max
      }
    }
  }

  private static let maxLayers = 64

  private var layers: [Layer] = []
  private let sysfs: String

  /// `nil` if nothing exists at this path.
  package init?(_ path: String) {
    var status = stat()
    guard unsafe stat(FileName.onDisk(path), &status) == 0 else { return nil }
    self.init(path, status)
  }

  /// `status`: that of the target of `path`.
  init(_ path: String, _ status: stat) {
    sysfs = "/sys"
    if status.st_mode & S_IFMT == S_IFBLK {
      add(device: UInt64(status.st_rdev), path, Layer(identity: .device(UInt64(status.st_rdev))))
    } else {
      layers = [
        Layer(identity: .file(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)))
      ]
    }
  }

  /// A device by its number, as /sys writes it: `7:0`. Tests pass their own /sys.
  package init?(device: String, sysfs: String) {
    guard let number = Storage.number(device) else { return nil }
    self.sysfs = sysfs
    add(device: number, nil, Layer(identity: .device(number)))
  }

  /// Whether writing to one would overwrite data of the other.
  package func overlaps(_ other: Storage) -> Bool {
    layers.contains { layer in other.layers.contains { $0.overlaps(layer) } }
  }

  /// Whether two paths lead to the same file or device.
  package static func areIdentical(_ one: String, _ other: String) -> Bool {
    guard let first = Storage(one)?.layers.first?.identity else { return false }
    return first == Storage(other)?.layers.first?.identity
  }

  /// Whether two paths share storage; a path that doesn't exist shares none.
  package static func areSame(_ one: String, _ other: String) -> Bool {
    guard let first = Storage(one), let second = Storage(other) else { return false }
    return first.overlaps(second)
  }
}

// MARK: What a device lies on

extension Storage {
  /// `path`: the device's, if it is known.
  private mutating func add(device: UInt64, _ path: String?, _ layer: Layer) {
    guard layers.count < Storage.maxLayers else { return }
    layers.append(layer)
    let folder = "\(sysfs)/dev/block/\(Storage.name(ofDevice: device))"
    if let start = SystemFile.number("\(folder)/start"),
      SystemFile.text("\(folder)/partition") != nil
    {
      let size = SystemFile.number("\(folder)/size") ?? 0
      add(SystemFile.text("\(folder)/../dev"), layer, from: start &* 512, size: size &* 512)
    } else if !addFile(behindLoop: device, path, folder, layer) {
      addSlaves(folder, layer)
    }
  }

  private mutating func add(_ device: String?, _ upper: Layer, from start: UInt64, size: UInt64) {
    guard let number = device.flatMap(Storage.number) else { return }
    add(
      device: number, nil,
      Layer(
        identity: .device(number), bytes: upper.bytes.moved(by: start, within: size),
        isExact: upper.isExact))
  }

  /// Returns whether this is a loop device.
  private mutating func addFile(
    behindLoop device: UInt64, _ path: String?, _ folder: String, _ layer: Layer
  ) -> Bool {
    let name = SystemFile.text("\(folder)/uevent")?.split(separator: "\n")
      .first { $0.hasPrefix("DEVNAME=") }?.dropFirst("DEVNAME=".count)
    let loop = unsafe dmm_loop_device(FileName.onDisk(path ?? "/dev/\(name ?? "")"), device)
    if loop.is_known {
      let bytes = layer.bytes.moved(by: loop.offset_bytes, within: loop.limit_bytes)
      if loop.block_device != 0 {
        add(
          device: loop.block_device, nil,
          Layer(
            identity: .device(loop.block_device), bytes: bytes, isExact: layer.isExact))
      } else {
        layers.append(
          Layer(
            identity: .file(device: loop.device, inode: loop.inode), bytes: bytes,
            isExact: layer.isExact))
      }
      return true
    }
    guard let file = SystemFile.text("\(folder)/loop/backing_file") else { return false }
    var status = stat()
    guard unsafe stat(file, &status) == 0 else { return true }
    let bytes = layer.bytes.moved(
      by: SystemFile.number("\(folder)/loop/offset") ?? 0,
      within: SystemFile.number("\(folder)/loop/sizelimit") ?? 0)
    let isDevice = status.st_mode & S_IFMT == S_IFBLK
    let identity: Identity =
      isDevice
      ? .device(UInt64(status.st_rdev))
      : .file(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    let below = Layer(identity: identity, bytes: bytes, isExact: layer.isExact)
    if isDevice { add(device: UInt64(status.st_rdev), file, below) } else { layers.append(below) }
    return true
  }

  /// Adds the devices below a device-mapper device or a disk array. Where exactly it lies on them
  /// isn't known, unless it is just as large as one of them. (An LVM volume can be so by chance: a
  /// thin volume as large as its pool.)
  private mutating func addSlaves(_ folder: String, _ layer: Layer) {
    let size = SystemFile.text("\(folder)/size")
    let isVolume = SystemFile.text("\(folder)/dm/uuid")?.hasPrefix("LVM-") ?? false
    for slave in names("\(folder)/slaves") {
      let below = "\(folder)/slaves/\(slave)"
      guard let device = SystemFile.text("\(below)/dev").flatMap(Storage.number) else { continue }
      let isWhole = !isVolume && size != nil && SystemFile.text("\(below)/size") == size
      add(
        device: device, nil,
        Layer(
          identity: .device(device), bytes: isWhole ? layer.bytes : 0..<UInt64.max,
          isExact: isWhole && layer.isExact))
    }
  }
}

// MARK: Reading /sys

extension Storage {
  /// A device's number, packed as in `st_rdev`, as /sys writes it: `major:minor`.
  static func name(ofDevice number: UInt64) -> String {
    "\(number >> 8 & 0xFFF):\(number & 0xFF | number >> 12 & 0xFFF00)"
  }

  /// The number of a device written as `major:minor`, packed as in `st_rdev`.
  private static func number(_ text: String) -> UInt64? {
    let parts = text.split(separator: ":").map { UInt64($0) }
    guard parts.count == 2, let major = parts[0], let minor = parts[1], major < 1 << 12,
      minor < 1 << 20
    else { return nil }
    return minor & 0xFF | major << 8 | (minor & ~0xFF) << 12
  }

  private func names(_ folder: String) -> [String] {
    guard let listing = unsafe opendir(folder) else { return [] }
    defer { unsafe _ = closedir(listing) }
    var names: [String] = []
    while let entry = unsafe readdir(listing) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }
}

extension Range<UInt64> {
  /// These bytes of a part as bytes of the whole. The part begins at `start` and has `size` bytes,
  /// or goes to the end if that is 0.
  fileprivate func moved(by start: UInt64, within size: UInt64) -> Range {
    let end = size == 0 ? .max : start.addingSaturated(size)
    let lower = Swift.min(start.addingSaturated(lowerBound), end)
    return lower..<Swift.max(lower, Swift.min(start.addingSaturated(upperBound), end))
  }
}

extension UInt64 {
  fileprivate func addingSaturated(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
