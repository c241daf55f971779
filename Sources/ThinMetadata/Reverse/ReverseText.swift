internal import MetadataXML
package import PersistentData

/// Which device maps what as text, a line per run: `data 5..9 -> thin(3) 100..104`, ends left out,
/// and after it the volume's name where there is one.
package struct ReverseText: ~Copyable {
  private let names: VolumeNames
  private let hasNames: Bool
  private var text = TextBuffer()
  /// The line before, in this text: neighbours have much in common, and copying saves formatting
  /// numbers again.
  private var last: (run: ReverseRun, data: Range<Int>, dataEnd: Range<Int>, virtual: Range<Int>)?

  package init(names: VolumeNames) {
    self.names = names
    hasNames = !names.isEmpty
  }

  /// In bytes.
  package var count: Int { text.count }

  package mutating func append(_ run: ReverseRun) {
    let start = text.count
    let dataEnd: Range<Int>
    if let last, last.run.dataBegin == run.dataBegin, last.run.length == run.length {
      text.append(again: last.data)
      dataEnd = last.dataEnd.lowerBound - last.data.lowerBound + start..<text.count
    } else {
      text.append("data ")
      if let last, last.run.dataEnd == run.dataBegin {
        text.append(again: last.dataEnd)
      } else {
        text.append(run.dataBegin)
      }
      text.append("..")
      let place = text.count
      text.append(run.dataEnd)
      dataEnd = place..<text.count
    }
    let data = start..<text.count
    text.append(" -> thin(")
    text.append(run.device)
    text.append(") ")
    let place = text.count
    if let last, last.run.virtualBegin == run.virtualBegin, last.run.length == run.length {
      text.append(again: last.virtual)
    } else {
      text.append(run.virtualBegin)
      text.append("..")
      text.append(run.virtualEnd)
    }
    last = (run, data, dataEnd, place..<text.count)
    endLine(run.device)
  }

  /// Appends where a byte of the data device is found in a device.
  package mutating func append(byte: UInt64, at place: UInt64, of device: UInt64) {
    text.append("byte ")
    text.append(byte)
    text.append(" -> thin(")
    text.append(device)
    text.append(") byte ")
    text.append(place)
    endLine(device)
  }

  /// Writes the text and forgets it.
  package mutating func write(to sink: ByteSink) throws(ByteSink.Failure) {
    try sink.write(text.bytes)
    text.removeAll()
    last = nil
  }

  private mutating func endLine(_ device: UInt64) {
    if hasNames, let name = names[device] {
      text.append(" ")
      text.append(text: name.oneLine)
    }
    text.append("\n")
  }
}
