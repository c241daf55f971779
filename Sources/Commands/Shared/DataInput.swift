internal import PersistentData

extension Tool {
  /// Opens the data device that metadata describes, or a file with its image.
  func openData(_ path: String, _ access: DataDevice.Access) throws(Failure) -> DataDevice {
    do throws(IOError) { return try DataDevice(path, access) } catch {
      switch error {
      case .inUse:
        throw Failure(.outputRefused, "'\(path)' is in use; deactivate what is on it first")
      case .readOnly:
        throw Failure(
          .outputRefused, "'\(path)' is a read-only device, as LVM's VG/POOL_tdata always is")
      default: throw Failure(input: error)
      }
    }
  }

  /// Fails if a data device begins with the same block as the metadata: then it is the same device,
  /// in a way that `refuseSame` can't see.
  func refuseMetadata(_ file: BlockFile, as device: DataDevice) throws(Failure) {
    guard device.sizeBytes >= UInt64(MetadataBlock.size) else { return }
    let (one, other) = (BlockBuffer(blocks: 1), BlockBuffer(blocks: 1))
    do throws(IOError) {
      try one.read(file, from: 0, count: 1)
      try other.read(device, from: 0, count: 1)
    } catch {
      throw Failure(input: error)
    }
    if one.holdsSame(as: other, count: 1) {
      throw Failure(
        .outputRefused,
        "'\(device.path)' holds the metadata, or a copy of it, so it is not the data device; "
          + "nothing was changed")
    }
  }

  /// Fails if two of the paths share storage: writing one would destroy the other.
  func refuseSame(_ paths: [String]) throws(Failure) {
    for (index, one) in paths.enumerated() {
      for other in paths[(index + 1)...] where Storage.areSame(one, other) {
        throw Failure(
          .outputRefused,
          "'\(one)' and '\(other)' are the same device, or are on the same one; nothing was "
            + "changed")
      }
    }
  }

  /// Fails if a data device is smaller than the pool's data blocks.
  func refuseShortData(_ device: DataDevice, blocks: UInt64, of blockBytes: UInt64) throws(Failure)
  {
    let (wanted, isHuge) = blocks.multipliedReportingOverflow(by: blockBytes)
    if !isHuge, device.sizeBytes >= wanted { return }
    throw Failure(
      .outputRefused,
      "'\(device.path)' is too short to be the pool's data device: it has \(device.sizeBytes) "
        + "bytes, the pool's \(blocks) blocks take \(isHuge ? "more than 2^64" : "\(wanted)"). "
        + "Nothing was changed")
  }
}
