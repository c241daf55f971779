internal import Glibc

/// Memory for a run of metadata blocks, aligned for reads that bypass the page cache.
///
/// Only one thread at a time may write to it; it lends its bytes and never hands them out.
@safe package final class BlockBuffer: @unchecked Sendable {
  package let blockCapacity: Int
  private let storage: UnsafeMutableRawBufferPointer

  package init(blocks: Int) {
    blockCapacity = blocks
    unsafe storage = UnsafeMutableRawBufferPointer.allocate(
      byteCount: blocks * MetadataBlock.size, alignment: MetadataBlock.size)
  }

  /// A buffer of zeroes, to be written out: it must not carry old memory to a device.
  package convenience init(zeroedBlocks blocks: Int) {
    self.init(blocks: blocks)
    unsafe storage.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { unsafe storage.deallocate() }

  /// Reads `count` blocks from `first` on into the buffer, from place `index` on.
  package func read(
    _ file: BlockFile, from first: UInt64, count: Int, into index: Int = 0
  ) throws(IOError) {
    try unsafe file.read(into: slice(index, count), from: first)
  }

  /// Writes `count` blocks of the buffer, from place `index` on, to the device from block `first`
  /// on.
  package func write(
    _ file: BlockFile, to first: UInt64, count: Int, from index: Int = 0
  ) throws(IOError) {
    try unsafe file.write(UnsafeRawBufferPointer(slice(index, count)), from: first)
  }

  /// Reads `count` places' worth of data from byte `offset` of a device, from place `index` on.
  package func read(
    _ device: DataDevice, from offset: UInt64, count: Int, into index: Int = 0
  ) throws(IOError) {
    try unsafe device.read(into: slice(index, count), from: offset)
  }

  /// Writes `count` places, from `index` on, to a device from byte `offset` on.
  package func write(
    _ device: DataDevice, to offset: UInt64, count: Int, from index: Int = 0
  ) throws(IOError) {
    try unsafe device.write(UnsafeRawBufferPointer(slice(index, count)), to: offset)
  }

  /// Whether the first `count` places hold the same as those of another buffer.
  package func holdsSame(as other: BlockBuffer, count: Int) -> Bool {
    guard let one = unsafe slice(0, count).baseAddress,
      let two = unsafe other.slice(0, count).baseAddress
    else { return true }
    return unsafe memcmp(one, two, count * MetadataBlock.size) == 0
  }

  func copyFirstBlock(to target: UnsafeMutableRawBufferPointer) {
    unsafe target.copyMemory(from: UnsafeRawBufferPointer(slice(0, 1)))
  }

  /// The bytes of the block at `index` in the buffer.
  package subscript(index: Int) -> RawSpan {
    @_lifetime(borrow self) get {
      let bytes = unsafe UnsafeRawBufferPointer(slice(index, 1))
      return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
    }
  }

  /// Fills the block at `index` with zeroes.
  func clear(_ index: Int) {
    let bytes = unsafe slice(index, 1)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// Lends the block at `index` for writing.
  package func edit<Result>(_ index: Int, _ body: (inout MutableRawSpan) -> Result) -> Result {
    var bytes = unsafe MutableRawSpan(_unsafeBytes: slice(index, 1))
    return body(&bytes)
  }

  private func slice(_ index: Int, _ count: Int) -> UnsafeMutableRawBufferPointer {
    let size = MetadataBlock.size
    return unsafe UnsafeMutableRawBufferPointer(
      rebasing: storage[index * size..<(index + count) * size])
  }
}

extension BlockFile {
  /// Reads one block and lends its bytes; for the few blocks that are read one by one.
  package func withBlock<Result>(
    _ block: MetadataBlock, _ body: (RawSpan) -> Result
  ) throws(IOError) -> Result {
    let buffer = BlockBuffer(blocks: 1)
    try buffer.read(self, from: UInt64(block.number), count: 1)
    return body(buffer[0])
  }

  /// Reads one block, lets `body` change it, seals it as `kind` and writes it back in place.
  package func editBlock(
    _ block: MetadataBlock, sealedAs kind: BlockKind, _ body: (inout MutableRawSpan) -> Void
  ) throws(IOError) {
    var editor = DeviceEditor(self)
    try editor.edit(block, sealedAs: kind, body)
  }
}
