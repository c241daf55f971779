import Commands
import Foundation
import PersistentData
import TestSupport
import Testing

/// What the writer writes, a parser that isn't ours reads back.
@Suite struct JSONWriterTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// The text of the document that `body` writes.
  private func document(_ body: (inout JSONWriter) -> Void) throws -> Data {
    let path = scratch.folder.appendingPathComponent("document").path
    let sink = try ByteSink(to: path)
    var json = JSONWriter(sink)
    body(&json)
    try json.finish()
    try sink.commit()
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test func `a document is laid out for people too`() throws {
    let data = try document { json in
      json.object { json in
        json.field("name", "a")
        json.field("none", nil as UInt64?)
        json.field("yes", true)
        json.array("empty") { _ in }
        json.object("nothing") { _ in }
        json.array("list") { json in
          json.element(7)
          json.element("x")
          json.object { json in json.field("count", 3 as Int) }
          json.array { json in json.element(UInt64.max) }
        }
      }
    }
    #expect(
      String(decoding: data, as: UTF8.self) == """
        {
          "name": "a",
          "yes": true,
          "empty": [],
          "nothing": {},
          "list": [
            7,
            "x",
            {
              "count": 3
            },
            [
              18446744073709551615
            ]
          ]
        }

        """)
  }

  @Test func `any text comes back as it was, and no control character gets out`() throws {
    let text =
      "/dev/\"a b\"\\c\u{7F}é\u{2028}\u{1F600}\u{FFFD}"
      + String(String.UnicodeScalarView((0..<32).compactMap(Unicode.Scalar.init)))
    let data = try document { json in json.object { json in json.field(text, text) } }
    let controls = data.filter { $0 < 0x20 || $0 == 0x7F }.filter { $0 != UInt8(ascii: "\n") }
    #expect(controls.isEmpty)
    let read = try JSONSerialization.jsonObject(with: data) as? [String: String]
    #expect(read == [text: text])
  }

  @Test func `a long document is written in pieces and comes back whole`() throws {
    let count = 100_000
    let data = try document { json in
      json.array { json in for number in 0..<UInt64(count) { json.element(number) } }
    }
    let read = try JSONSerialization.jsonObject(with: data) as? [Int]
    #expect(read == Array(0..<count))
  }

  @Test func `a write that fails is told in the end`() throws {
    var json = JSONWriter(try ByteSink(to: "/dev/full"))
    json.array { json in for number in 0..<UInt64(20_000) { json.element(number) } }
    var failure: ByteSink.Failure?
    do { try json.finish() } catch { failure = error }
    #expect(failure != nil && failure != .readerGone)
  }
}
