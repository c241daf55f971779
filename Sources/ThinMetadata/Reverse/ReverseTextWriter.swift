internal import MetadataXML
package import PersistentData

/// Writes which device maps what, a line a run: `data 5..9 -> thin(3) 100..104`, ends left out, and
/// after it the volume's name where there is one.
package struct ReverseTextWriter: ~Copyable {
  private static let enough = 1 << 16

  private let sink: ByteSink
  private let names: VolumeNames
  private let hasNames: Bool
  private var text = TextBuffer()

  package init(_ sink: ByteSink, names: VolumeNames) {
    self.sink = sink
    self.names = names
    hasNames = !names.isEmpty
  }

  package mutating func write(_ run: ReverseRun) throws(ByteSink.Failure) {
    text.append("data ")
    text.append(run.dataBegin)
    text.append("..")
    text.append(run.dataEnd)
    text.append(" -> thin(")
    text.append(run.device)
    text.append(") ")
    text.append(run.virtualBegin)
    text.append("..")
    text.append(run.virtualEnd)
    endLine(run.device)
    if text.count > ReverseTextWriter.enough { try flush() }
  }

  /// Writes where a byte of the data device is found in a device.
  package mutating func write(byte: UInt64, at place: UInt64, of device: UInt64) {
    text.append("byte ")
    text.append(byte)
    text.append(" -> thin(")
    text.append(device)
    text.append(") byte ")
    text.append(place)
    endLine(device)
  }

  /// To be called in the end.
  package mutating func flush() throws(ByteSink.Failure) {
    try sink.write(text.bytes)
    text.removeAll()
  }

  private mutating func endLine(_ device: UInt64) {
    if hasNames, let name = names[device] {
      text.append(" ")
      text.append(text: name)
    }
    text.append("\n")
  }
}
