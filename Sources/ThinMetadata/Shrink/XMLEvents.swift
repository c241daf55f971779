internal import Glibc
internal import MetadataXML
internal import PersistentData

/// Writes events to a file as XML, as they come.
struct XMLEvents: ThinEvents, ~Copyable {
  private static let portion = 1 << 20

  private var writer = ThinTextWriter(.xml)
  private let sink: ByteSink

  init(_ sink: ByteSink) { self.sink = sink }

  mutating func begin(_ pool: PoolHeader) throws(WriteError) { writer.begin(pool) }
  mutating func beginShared(_ name: String) throws(WriteError) { writer.beginShared(name) }
  mutating func endShared() throws(WriteError) { writer.endShared() }
  mutating func beginDevice(_ device: DeviceHeader) throws(WriteError) {
    writer.beginDevice(device)
  }
  mutating func endDevice() throws(WriteError) { writer.endDevice() }
  mutating func reference(_ name: String) throws(WriteError) { writer.reference(name) }

  mutating func run(_ run: MappingRun) throws(WriteError) {
    writer.run(run)
    if writer.text.count > XMLEvents.portion { try write() }
  }

  mutating func end() throws(WriteError) {
    writer.end()
    try write()
  }

  private mutating func write() throws(WriteError) {
    do throws(ByteSink.Failure) { try sink.write(writer.takeText()) } catch {
      switch error {
      case .failed(let cause): throw .output(cause)
      case .readerGone: throw .output(.callFailed(call: "writing the XML", errno: EPIPE))
      }
    }
  }
}
