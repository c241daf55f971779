import MetadataXML
import Testing

@Suite struct TextBufferTests {
  private func text(_ build: (inout TextBuffer) -> Void) -> String {
    var buffer = TextBuffer(capacity: 1)
    build(&buffer)
    return String(decoding: buffer.take(), as: UTF8.self)
  }

  @Test func `numbers come out as String writes them`() {
    var random = Random(state: .random(in: 0 ... .max))
    let seed = random.state
    var numbers: [UInt64] = [0, 1, .max, .max - 1]
    var power: UInt64 = 1
    for _ in 0..<19 {
      power *= 10
      numbers += [power - 1, power, power + 1]
    }
    numbers += (0..<100_000).map { _ in random.number() }
    for number in numbers {
      #expect(text { $0.append(number) } == "\(number)", "seed \(seed)")
    }
  }

  @Test func `all numbers of four digits come out right, on either side of a longer number`() {
    for number in 0..<10_000 as Range<UInt64> {
      #expect(text { $0.append(number) } == "\(number)")
      #expect(text { $0.append(number * 10_000) } == "\(number * 10_000)")
      #expect(text { $0.append(70_000_000 + number) } == "\(70_000_000 + number)")
    }
  }

  @Test func `a line is put together as interpolation would`() {
    var random = Random(state: .random(in: 0 ... .max))
    let seed = random.state
    var buffer = TextBuffer(capacity: 16)
    var expected = ""
    for _ in 0..<10_000 {
      let (begin, length) = (random.number(), random.number())
      buffer.append("    <range_mapping origin_begin=\"")
      buffer.append(begin)
      buffer.append("\" length=\"")
      buffer.append(length)
      buffer.append("\"/>\n")
      expected += "    <range_mapping origin_begin=\"\(begin)\" length=\"\(length)\"/>\n"
    }
    #expect(buffer.count == expected.utf8.count)
    #expect(buffer.take() == Array(expected.utf8), "seed \(seed)")
  }

  @Test func `the bytes that are lent are the text, and what is removed is gone`() {
    var buffer = TextBuffer(capacity: 4)
    buffer.append(text: "naïve ")
    buffer.append(byte: UInt8(ascii: "x"))
    let more: [UInt8] = [1, 2, 255]
    buffer.append(bytes: more.span)
    #expect(buffer.bytes.withUnsafeBytes { Array($0) } == Array("naïve x".utf8) + more)
    buffer.removeAll()
    #expect(buffer.count == 0)
    #expect(buffer.bytes.withUnsafeBytes { $0.count } == 0)
    buffer.append("again")
    #expect(buffer.take() == Array("again".utf8))
    #expect(buffer.take() == [])
  }

  @Test func `tags are written one a line with two spaces a level`() {
    let xml = text {
      $0.startTag("superblock", depth: 0)
      $0.attribute("uuid", text: "")
      $0.attribute("time", 18_446_744_073_709_551_615)
      $0.open()
      $0.startTag("device", depth: 1)
      $0.attribute("dev_id", 1)
      $0.close()
      $0.endTag("superblock", depth: 0)
    }
    #expect(
      xml == """
        <superblock uuid="" time="18446744073709551615">
          <device dev_id="1"/>
        </superblock>

        """)
  }

  @Test func `escaped text comes back from the reader as it was`() {
    var nasty = "&amp; <a b='c'>\"\t\r\n é\u{1F600}]]>"
    #expect(
      text { $0.append(escaping: nasty) }
        == "&amp;amp; &lt;a b=&apos;c&apos;&gt;&quot;&#9;&#13;&#10; é\u{1F600}]]&gt;")
    var random = Random(state: .random(in: 0 ... .max))
    let seed = random.state
    for _ in 0..<500 {
      let xml = text {
        $0.startTag("superblock", depth: 0)
        $0.attribute("uuid", text: nasty)
        $0.close()
      }
      #expect(
        outcome(xml).events == ["start superblock uuid=\(nasty)", "end superblock"], "seed \(seed)")
      let scalars = (0..<20).compactMap { _ in UnicodeScalar(UInt32(random.number() % 300)) }
      nasty = String(String.UnicodeScalarView(scalars))
      nasty.unicodeScalars.removeAll { $0.value < 0x20 && !"\t\n\r".unicodeScalars.contains($0) }
    }
  }

  @Test func `a part of the text is appended once more, wherever it stands`() {
    var buffer = TextBuffer(capacity: 1)
    var model: [UInt8] = []
    var random = Random(state: .random(in: 0 ... .max))
    let seed = random.state
    for round in 0..<2000 {
      buffer.append(UInt64(round))
      model += Array("\(round)".utf8)
      let begin = Int.random(in: 0...model.count, using: &random)
      let end = Int.random(
        in: begin...min(model.count, begin + TextBuffer.longestCopy), using: &random)
      buffer.append(again: begin..<end)
      model += model[begin..<end]
    }
    #expect(buffer.take() == model, "seed \(seed)")
  }

  @Test func `characters that XML has no way to write are replaced`() {
    #expect(text { $0.append(escaping: "a\0b\u{1B}") } == "a\u{FFFD}b\u{FFFD}")
  }
}
