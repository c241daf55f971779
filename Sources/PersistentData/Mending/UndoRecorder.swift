internal import Glibc

/// The editor that changes nothing: it saves to an undo file the blocks that will be overwritten,
/// and checksums of their new contents.
package struct UndoRecorder: BlockEditor {
  private let file: BlockFile
  private let sink: ByteSink
  /// A table, and the blocks that it lists.
  private let group = BlockBuffer(zeroedBlocks: 1 + UndoLayout.Table.capacity)
  private let scratch = BlockBuffer(blocks: 1)
  private var entries: [UndoEntry] = []

  /// Runs `job` without changing `file`. Afterwards a new file at `path`, on stable storage, holds
  /// everything that the same job would overwrite.
  ///
  /// An existing file is never touched; an unfinished one is removed.
  package static func record(
    _ file: BlockFile, at path: String, _ job: (inout UndoRecorder) throws(IOError) -> Void
  ) throws(IOError) {
    let sink = try ByteSink(creatingNew: path)
    do {
      var recorder = UndoRecorder(file, sink)
      try recorder.writeHeader()
      try job(&recorder)
      try recorder.writeGroup(isLast: true)
      try sink.flush()
      try ByteSink.flushFolder(of: path)
    } catch {
      ByteSink.remove(path)
      throw error
    }
  }

  private init(_ file: BlockFile, _ sink: ByteSink) {
    self.file = file
    self.sink = sink
  }

  package mutating func edit<Result>(
    _ block: MetadataBlock, sealedAs kind: BlockKind, _ body: (inout MutableRawSpan) -> Result
  ) throws(IOError) -> Result {
    if entries.count == UndoLayout.Table.capacity { try writeGroup(isLast: false) }
    try group.read(file, from: UInt64(block.number), count: 1, into: 1 + entries.count)
    let result = try scratch.edit(block, of: file, sealedAs: kind, body)
    entries.append(
      UndoEntry(
        block: UInt64(block.number), oldChecksum: UndoLayout.checksum(group[1 + entries.count]),
        newSectors: UndoLayout.sectors(scratch[0])))
    return result
  }

  /// Nothing is changed, so there is nothing to flush.
  package mutating func flush() {}

  private mutating func writeHeader() throws(IOError) {
    group.clear(0)
    group.edit(0) { bytes in
      for (offset, byte) in UndoLayout.magic.enumerated() {
        bytes[Field<UInt8>(at: UndoLayout.Header.magic + offset)] = byte
      }
      bytes[UndoLayout.Header.version] = UndoLayout.version
      bytes[UndoLayout.Header.blockSize] = UInt32(MetadataBlock.size)
      bytes[UndoLayout.Header.deviceBlockCount] = file.blockCount
      for (offset, byte) in UndoLayout.notice.utf8.enumerated() {
        bytes[Field<UInt8>(at: UndoLayout.Header.notice + offset)] = byte
      }
      bytes[UndoLayout.Header.checksum] = UndoLayout.checksum(
        bytes.bytes, count: UndoLayout.Header.checksum.offset)
    }
    try write(group[0])
  }

  private mutating func writeGroup(isLast: Bool) throws(IOError) {
    group.clear(0)
    group.edit(0) { bytes in
      bytes[UndoLayout.Table.count] = UInt32(entries.count)
      bytes[UndoLayout.Table.isLast] = isLast ? 1 : 0
      for (index, entry) in entries.enumerated() {
        entry.encode(into: &bytes, at: UndoLayout.entryOffset(index))
      }
      bytes[UndoLayout.Table.checksum] = UndoLayout.checksum(
        bytes.bytes, count: UndoLayout.Table.checksum.offset)
    }
    for index in 0...entries.count { try write(group[index]) }
    entries.removeAll(keepingCapacity: true)
  }

  private func write(_ bytes: RawSpan) throws(IOError) {
    do throws(ByteSink.Failure) { try sink.write(bytes) } catch {
      switch error {
      case .failed(let cause): throw cause
      case .readerGone: throw .callFailed(call: "writing the undo file", errno: EPIPE)
      }
    }
  }
}
