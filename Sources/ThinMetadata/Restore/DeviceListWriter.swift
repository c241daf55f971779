internal import PersistentData

/// Writes the two trees of devices: where the mappings of each start, and its details.
///
/// As long as ids ascend, entries go into leaves as they come. From the first that doesn't, all are
/// kept, 40 bytes each, and written at the end, sorted; the leaves written until then become free
/// blocks.
struct DeviceListWriter {
  private struct Entry {
    let id: UInt64
    let root: UInt64
    var details: DeviceDetails
  }

  private let writer: BlockWriter
  private var topLevel: TreeWriter<UInt64>
  private var details: TreeWriter<DeviceDetails>
  private var lastID: UInt64?
  /// `nil` as long as ids ascend.
  private var kept: [Entry]?

  init(_ writer: BlockWriter) {
    self.writer = writer
    topLevel = TreeWriter(writer)
    details = TreeWriter(writer)
  }

  /// Adds a device with an id that none before had. The caller counts the reference to `root`.
  mutating func push(_ device: DeviceHeader, _ root: MetadataBlock) throws(IOError) {
    let entry = Entry(id: device.id, root: UInt64(root.number), details: device.details)
    if let lastID, device.id < lastID, kept == nil { kept = try takeWritten() }
    lastID = device.id
    if kept != nil {
      kept?.append(entry)
    } else {
      try write(entry)
    }
  }

  /// Ends both trees and returns their roots; the caller counts the references to these.
  mutating func finish() throws(IOError) -> (mapping: MetadataBlock, details: MetadataBlock) {
    if let entries = kept {
      for entry in entries.sorted(by: { $0.id < $1.id }) { try write(entry) }
      kept = nil
    }
    return (try topLevel.finish(), try details.finish())
  }

  private mutating func write(_ entry: Entry) throws(IOError) {
    try topLevel.push(entry.id, entry.root)
    try details.push(entry.id, entry.details)
  }

  /// Takes back what went into leaves, and begins both trees anew.
  private mutating func takeWritten() throws(IOError) -> [Entry] {
    let roots = try topLevel.takeEntries { $0.value($1) }
    let all = try details.takeEntries { DeviceDetails($0, $1) }
    topLevel = TreeWriter(writer)
    details = TreeWriter(writer)
    return zip(roots, all).map { Entry(id: $0.key, root: $0.value, details: $1.value) }
  }
}

extension DeviceDetails: NodeValue {
  package static var encodedSize: Int { Layout.size }
}
