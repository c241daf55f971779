internal import Glibc

/// A number for each block of a device, 0 until another is stored.
///
/// Owns memory mapped straight from the system, which zeroes it, provides each page when it is
/// first touched and takes it back at once: a table for the largest device costs little where
/// little of the device is in use. malloc would hold on to freed memory. It is a value like an
/// array, and asking for a block past the end traps, too.
@safe package struct BlockTable<Number: FixedWidthInteger & BitwiseCopyable & Sendable> {
  private let count: Int
  private var memory: Memory
  /// What `memory` owns, without an indirection.
  private var numbers: UnsafeMutablePointer<Number>

  /// For a device of `count` blocks.
  package init(count: UInt64) { self.init(Int(count)) }

  private init(_ count: Int) {
    self.count = count
    guard let memory = Memory(byteCount: max(1, count) * MemoryLayout<Number>.stride) else {
      fatalError("no memory for a table of \(count) blocks")
    }
    self.memory = memory
    // Zeroed bytes are a valid integer.
    unsafe numbers = memory.start.bindMemory(to: Number.self, capacity: max(1, count))
  }

  package var indices: Range<Int> { 0..<count }

  package subscript(block: Int) -> Number {
    get {
      precondition(block >= 0 && block < count)
      return withExtendedLifetime(memory) { unsafe numbers[block] }
    }
    set {
      precondition(block >= 0 && block < count)
      if !isKnownUniquelyReferenced(&memory) { makeCopy() }
      withExtendedLifetime(memory) { unsafe numbers[block] = newValue }
    }
  }

  @inline(never) private mutating func makeCopy() {
    let copy = BlockTable(count)
    withExtendedLifetime(memory) { unsafe copy.numbers.update(from: numbers, count: count) }
    self = copy
  }

  /// Memory that is freed with the last table that refers to it.
  @safe private final class Memory {
    let start: UnsafeMutableRawPointer
    private let byteCount: Int

    init?(byteCount: Int) {
      let flags = MAP_PRIVATE | MAP_ANONYMOUS
      let start = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
      guard let start = unsafe start, unsafe start != MAP_FAILED else { return nil }
      unsafe self.start = start
      self.byteCount = byteCount
    }

    deinit { unsafe munmap(start, byteCount) }
  }
}

// A table writes to its memory only if no other table refers to it.
extension BlockTable: @unchecked Sendable {}
