import MetadataXML

/// A consumer that writes down what it is given, and complains of what is not thin metadata.
struct Recorder: XMLConsumer {
  static let rows = [
    XMLRowShape(
      "range_mapping",
      [.number("origin_begin"), .number("data_begin"), .number("length"), .number("time")]),
    XMLRowShape(
      "single_mapping", [.number("origin_block"), .number("data_block"), .number("time")]),
    XMLRowShape("mapping", [.number("cache_block"), .text("dirty", "true")]),
    XMLRowShape("mapping", [.number("cache_block"), .text("dirty", "false")]),
    XMLRowShape("hint", [.number("cache_block"), .base64("data")]),
    XMLRowShape("device", [.number("dev_id"), .number("time")], isContainer: true),
  ]

  var events: [String] = []

  mutating func start(_ tag: XMLTag) throws(XMLComplaint) {
    switch tag.name {
    case "superblock": try tag.allow(only: "uuid", "time", "version")
    case "device":
      try tag.allow(only: "dev_id", "name", "time")
      _ = try tag.number("dev_id")
    case "note": break
    case "range_mapping":
      for attribute in tag.attributes { _ = try tag.number(attribute.name) }
      throw .content("wrong attributes")
    default: throw .content("unknown tag '\(tag.name)'")
    }
    events.append(
      "start \(tag.name)" + tag.attributes.map { " \($0.name)=\($0.value)" }.joined())
  }

  mutating func end(_ name: String) throws(XMLComplaint) {
    if name == "note", events.last?.contains("fussy") == true { throw .content("bad end") }
    events.append("end \(name)")
  }

  mutating func row(_ shape: Int, _ values: Span<UInt64>) throws(XMLComplaint) {
    let numbers = (0..<Self.rows[shape].valueCount).map { values[$0] }
    if numbers[0] == 666 { throw .content("bad number 666") }
    if numbers[0] == 667 { throw .failure(OutOfSpace()) }
    events.append((Self.rows[shape].isContainer ? "start " : "row ") + "\(shape) \(numbers)")
  }
}

struct OutOfSpace: Error, CustomStringConvertible {
  var description: String { "no space left" }
}

/// What reading some XML came to.
struct Outcome: Equatable, CustomStringConvertible {
  var events: [String]
  var error: String?
  /// Rows that went through the fast lane: not part of what has to be the same.
  var laneRows = 0

  /// Whether the events leave no element open.
  var isOutsideRoot: Bool {
    events.count { $0.hasPrefix("start") } == events.count { $0.hasPrefix("end") }
  }

  static func == (left: Outcome, right: Outcome) -> Bool {
    left.events == right.events && left.error == right.error
  }

  var description: String {
    (events.suffix(3) + ["\(events.count) events", error ?? "no error"]).joined(separator: "\n")
  }
}

/// Reads XML from memory, `portion` bytes at a time at most.
func outcome(
  _ xml: [UInt8], usesLane: Bool = true, portion: Int = .max, portionSize: Int = 1 << 18
) -> Outcome {
  var recorder = Recorder()
  var rest = xml[...]
  do {
    let laneRows = try XMLReader.read(
      into: &recorder, portionSize: portionSize, usesLane: usesLane
    ) { room in
      let part = rest.prefix(min(portion, room.byteCount))
      for (index, byte) in part.enumerated() {
        room.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
      }
      rest = rest.dropFirst(part.count)
      return part.count
    }
    return Outcome(events: recorder.events, error: nil, laneRows: laneRows)
  } catch {
    return Outcome(events: recorder.events, error: error.description)
  }
}

func outcome(_ xml: String, usesLane: Bool = true) -> Outcome {
  outcome(Array(xml.utf8), usesLane: usesLane)
}

/// Random numbers that a printed seed brings back: SplitMix64.
struct Random: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number of up to 64 bits, short ones as likely as long ones.
  mutating func number() -> UInt64 { next() >> (next() % 64) }
}
