internal import MetadataXML
package import PersistentData

/// Writes one JSON document to a sink, piece by piece: the reports that programs read.
///
/// Objects and arrays are closures, so that they always end; numbers are written in full, up to 64
/// bits; a field whose value is `nil` is left out. Text is written as soon as there is enough for a
/// system call, so memory doesn't grow with the document. A write error is kept and thrown by
/// `finish`, which must be called at the end.
///
///     var json = JSONWriter(.standardOutput)
///     json.object { json in
///       json.field("tool", "thin_check")
///       json.array("findings") { json in
///         for finding in findings { json.object { json in json.field("rule", finding.rule) } }
///       }
///     }
///     try json.finish()
package struct JSONWriter: ~Copyable {
  /// Text is written out once there is more than this, in bytes.
  private static let flushSize = 1 << 15

  private let sink: ByteSink
  private var text = TextBuffer()
  private var failure: ByteSink.Failure?
  /// How many objects and arrays are open, and whether the innermost one is still empty.
  private var depth = 0
  private var isEmpty = true

  package init(_ sink: ByteSink) { self.sink = sink }

  /// Ends the document with a newline and writes out the rest of it.
  package mutating func finish() throws(ByteSink.Failure) {
    precondition(depth == 0, "an object or array is open")
    text.append("\n")
    writeOut()
    if let failure { throw failure }
  }

  private mutating func writeOut() {
    if failure == nil {
      do throws(ByteSink.Failure) { try sink.write(text.bytes) } catch { failure = error }
    }
    text.removeAll()
  }
}

// MARK: Objects and arrays

extension JSONWriter {
  /// Writes an object: the document itself, an element of an array or, with a name, a field.
  package mutating func object<Failure: Error>(
    _ name: String? = nil, _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    begin(name, "{")
    try body(&self)
    end("}")
  }

  /// Writes an array, in the same places as an object.
  package mutating func array<Failure: Error>(
    _ name: String? = nil, _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    begin(name, "[")
    try body(&self)
    end("]")
  }

  private mutating func begin(_ name: String?, _ bracket: StaticString) {
    place(name)
    text.append(bracket)
    depth += 1
    isEmpty = true
  }

  private mutating func end(_ bracket: StaticString) {
    depth -= 1
    if !isEmpty { startLine() }
    text.append(bracket)
    isEmpty = false
  }

  /// Writes what comes before the next value: a comma, a new line, the name.
  private mutating func place(_ name: String?) {
    if text.count > JSONWriter.flushSize { writeOut() }
    if depth > 0 {
      if !isEmpty { text.append(",") }
      startLine()
    }
    isEmpty = false
    guard let name else { return }
    appendQuoted(name)
    text.append(": ")
  }

  private mutating func startLine() {
    text.append("\n")
    for _ in 0..<depth { text.append("  ") }
  }
}

// MARK: Values

extension JSONWriter {
  package mutating func field(_ name: String, _ value: String?) {
    guard let value else { return }
    place(name)
    appendQuoted(value)
  }

  package mutating func field(_ name: String, _ value: UInt64?) {
    guard let value else { return }
    place(name)
    text.append(value)
  }

  /// The number must not be negative: no count or index is.
  package mutating func field(_ name: String, _ value: Int?) {
    field(name, value.map { UInt64($0) })
  }

  package mutating func field(_ name: String, _ value: Bool?) {
    guard let value else { return }
    place(name)
    text.append(value ? "true" : "false")
  }

  /// Writes text as an element of an array.
  package mutating func element(_ value: String) {
    place(nil)
    appendQuoted(value)
  }

  /// Writes a number as an element of an array.
  package mutating func element(_ value: UInt64) {
    place(nil)
    text.append(value)
  }

  /// Escapes what JSON requires, and what would affect a terminal (see `printable`). Bytes of a
  /// file name that aren't UTF-8 can't be represented in JSON.
  private mutating func appendQuoted(_ value: String) {
    text.append("\"")
    for scalar in value.unicodeScalars {
      switch FileName.byte(of: scalar).map({ Unicode.Scalar($0) }) ?? scalar {
      case "\"": text.append("\\\"")
      case "\\": text.append("\\\\")
      case "\n": text.append("\\n")
      case "\t": text.append("\\t")
      case "\r": text.append("\\r")
      case _ where FileName.byte(of: scalar) != nil: text.append("\\ufffd")
      case _ where scalar.isHidden: appendEscaped(scalar)
      default:
        for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
          text.append(byte: byte)
        }
      }
    }
    text.append("\"")
  }

  /// As in JSON: UTF-16 code units, four hexadecimal digits each.
  private mutating func appendEscaped(_ scalar: Unicode.Scalar) {
    for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
      text.append("\\u")
      for shift in [12, 8, 4, 0] as [UInt16] {
        text.append(byte: JSONWriter.hexDigit(UInt8(unit >> shift & 15)))
      }
    }
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}
