import MetadataXML
import Testing

@Suite struct XMLReaderTests {
  private let document = """
    <?xml version="1.0" encoding="UTF-8"?>
    <superblock uuid="a&lt;b" time="1">
      <device dev_id="7">
        <range_mapping origin_begin="0" data_begin="10" length="5" time="18446744073709551615"/>
        <!-- a comment --> some text
        <single_mapping time='3' data_block='002' origin_block='1'></single_mapping>
      </device>
      <note fussy="no"/>
    </superblock>

    """

  private let events = [
    "start superblock uuid=a<b time=1", "start device dev_id=7",
    "row 0 [0, 10, 5, 18446744073709551615]", "row 1 [1, 2, 3]", "end device",
    "start note fussy=no",
  ]

  @Test func `tags and rows arrive in the order of the document`() {
    let outcome = outcome(document.replacing("fussy=\"no\"", with: "calm=\"no\""))
    let expected = events.dropLast() + ["start note calm=no", "end note", "end superblock"]
    #expect(outcome == Outcome(events: Array(expected), error: nil))
  }

  @Test func `a complaint about the end of an empty element names the place of its tag`() {
    let outcome = outcome(document)
    #expect(outcome == Outcome(events: events, error: "line 8, column 3: bad end"))
  }

  @Test func `events do not depend on how the input is portioned`() {
    for xml in [document, document.replacing("fussy", with: "calm"), String(document.dropLast(20))]
    {
      let bytes = Array(xml.utf8)
      let expected = outcome(bytes)
      for usesLane in [true, false] {
        for portion in [1, 2, 7, 64, 100] {
          for portionSize in [1, 50, 1 << 18] {
            let other = outcome(
              bytes, usesLane: usesLane, portion: portion, portionSize: portionSize)
            #expect(other == expected, "\(usesLane) \(portion) \(portionSize)")
          }
        }
        for portion in 1...bytes.count {
          #expect(outcome(bytes, usesLane: usesLane, portion: portion) == expected, "\(portion)")
        }
      }
    }
  }

  /// Lines 1 and 2 open a superblock and a device, lines 3 to 5 are canonical rows.
  private func inDevice(_ text: String) -> String {
    let row = "    <single_mapping origin_block=\"1\" data_block=\"2\" time=\"3\"/>\n"
    return "<superblock>\n  <device dev_id=\"1\">\n" + row + row + row + text
  }

  @Test(arguments: [
    ("<superblock>\n <foo/>", "line 2, column 2: unknown tag 'foo'"),
    ("<superblock>\n\t <foo/>", "line 2, column 3: unknown tag 'foo'"),
    ("<superblock uid=\"\"/>", "line 1, column 1: unknown attribute 'uid' in tag 'superblock'"),
    ("<superblock>\n<device/>", "line 2, column 1: missing attribute 'dev_id' for tag 'device'"),
    (
      "<superblock>\n<device dev_id=\"+1\">",
      "line 2, column 1: attribute 'dev_id' of tag 'device' must be a decimal number below 2^64"
        + " (found '+1')"
    ),
    ("", "the input is empty"),
    (" \n", "line 2, column 1: this is not XML: no element found"),
    ("\u{1}\u{2}\u{3}", "line 1, column 1: this is not XML: not well-formed (invalid token)"),
    ("begin superblock: 1", "line 1, column 1: this is not XML: syntax error"),
    ("<superblock>\n  <device dev_id=\"1\">\n", "line 2, column 3: the XML ends inside <device>"),
    ("<superblock>\n  <device dev_id=\"1", "line 1, column 1: the XML ends inside <superblock>"),
    ("<superblock>\n  <!-- oh", "line 1, column 1: the XML ends inside <superblock>"),
    ("<superblock", "line 1, column 1: this is not XML: unclosed token"),
    ("<superblock/>\n<!-- ", "line 2, column 1: unclosed token"),
    ("<superblock/>\n<superblock/>", "line 2, column 1: junk after document element"),
    (
      "<superblock>\n <device dev_id=\"1\">\n </superblock>",
      "line 3, column 2: the end tag is not that of <device>, opened at line 2, column 2"
    ),
    ("<superblock>\n&foo;</superblock>", "line 2, column 1: undefined entity"),
    (
      "<?xml version=\"1.0\"?>\n<!DOCTYPE superblock [<!ENTITY a \"b\">]>\n<superblock/>",
      "line 2, column 22: a document type declaration has no place in metadata"
    ),
    (
      String(repeating: "<note>", count: 9),
      "line 1, column 49: elements are nested more than 8 deep"
    ),
  ])
  func `what is wrong is said with line and column`(xml: String, error: String) {
    #expect(outcome(xml).error == error)
    #expect(outcome(xml, usesLane: false).error == error)
    #expect(outcome(Array(xml.utf8), portion: 1).error == error)
  }

  @Test(arguments: [
    ("    <foo/>\n", "line 6, column 5: unknown tag 'foo'"),
    (
      "  <single_mapping origin_block=\"666\" data_block=\"2\" time=\"3\"/>\n",
      "line 6, column 3: bad number 666"
    ),
    (
      "\t<single_mapping origin_block='666' data_block=\"2\" time=\"3\"/>\n",
      "line 6, column 2: bad number 666"
    ),
    ("<single_mapping origin_block=\"667\" data_block=\"2\" time=\"3\"/>\n", "no space left"),
    (
      "  </foo>\n",
      "line 6, column 3: the end tag is not that of <device>, opened at line 2, column 3"
    ),
    ("", "line 2, column 3: the XML ends inside <device>"),
    ("<single_mapping", "line 2, column 3: the XML ends inside <device>"),
    ("\n\n  <&>", "line 8, column 4: not well-formed (invalid token)"),
    ("<!-- \n -->\n <foo/>", "line 8, column 2: unknown tag 'foo'"),
    (
      "<range_mapping length=\"18446744073709551616\"/>\n",
      "line 6, column 1: attribute 'length' of tag 'range_mapping' must be a decimal number"
        + " below 2^64 (found '18446744073709551616')"
    ),
    (
      "<single_mapping origin_block=\"1\" data_block=\"2\" time=\"3\">\n"
        + "<single_mapping origin_block=\"1\" data_block=\"2\" time=\"3\"/>\n",
      "line 7, column 1: nothing may stand inside <single_mapping>"
    ),
  ])
  func `lines are counted past the rows that the lane took`(text: String, error: String) {
    let xml = inDevice(text)
    #expect(outcome(xml).error == error)
    #expect(outcome(xml, usesLane: false).error == error)
  }

  @Test func `rows in canonical form take the lane, whatever their indentation`() {
    let xml = """
      <?xml version="1.0"?>

      <superblock>
        <device dev_id="1">
          <single_mapping origin_block="1" data_block="2" time="3"/>
      <range_mapping origin_begin="1" data_begin="00000000000000000002" length="3" time="4"/>
      \t<mapping cache_block="18446744073709551615" dirty="false"/>
        </device>
        <mapping cache_block="5" dirty="true"/>
      </superblock>

      """
    let outcome = outcome(xml)
    #expect(
      outcome.events == [
        "start superblock", "start device dev_id=1", "row 1 [1, 2, 3]", "row 0 [1, 2, 3, 4]",
        "row 3 [18446744073709551615]", "end device", "row 2 [5]", "end superblock",
      ])
    #expect(outcome.error == nil)
    #expect(outcome.laneRows == 4)
  }

  @Test(arguments: [
    "-1", "+1", "", " 1", "1 ", "0x1", "1e3", "18446744073709551616", "20000000000000000000",
    "000000000000000000001",
  ])
  func `what is not a plain number below 2^64 makes no row`(number: String) {
    let xml = inDevice(
      "<range_mapping origin_begin=\"\(number)\" data_begin=\"1\" length=\"1\" time=\"1\"/>\n")
    let error =
      "line 6, column 1: attribute 'origin_begin' of tag 'range_mapping' must be a decimal"
      + " number below 2^64 (found '\(number)')"
    #expect(outcome(xml).error == error)
    #expect(outcome(xml, usesLane: false).error == error)
  }

  @Test func `a tag of more than a mebibyte is refused, also when it does not end`() {
    let long = "<superblock>\n<!--" + String(repeating: "-\n", count: 1 << 19)
    let error = "line 2, column 1: a tag or comment is longer than a mebibyte"
    #expect(outcome(long + "-->").error == error)
    #expect(outcome(long + String(repeating: " ", count: 1 << 19)).error == error)
    let tag = "<superblock uuid=\"" + String(repeating: "x", count: 1 << 20) + "\"/>"
    #expect(outcome("\n" + tag).error == error)
  }

  @Test(arguments: [
    (
      "<mapping cache_block=\"1\" dirty=\"true\"/>\r\n <note/>",
      Outcome(events: ["row 2 [1]"], error: "line 2, column 2: junk after document element")
    ),
    // An empty line and a tag in UTF-16, which is told by the second byte.
    ("\n\0<\0n\0o\0t\0e\0/\0>\0", Outcome(events: ["start note", "end note"], error: nil)),
  ])
  func `what expat needs to see in one piece is not torn`(xml: String, expected: Outcome) {
    let bytes = Array(xml.utf8)
    for portion in 1...bytes.count {
      for usesLane in [true, false] {
        for portionSize in [1, 3, 100] {
          let outcome = outcome(
            bytes, usesLane: usesLane, portion: portion, portionSize: portionSize)
          #expect(outcome == expected, "\(portion) \(usesLane) \(portionSize)")
        }
      }
    }
  }

  @Test func `a failing source ends the reading with its error`() {
    var recorder = Recorder()
    let error = #expect(throws: XMLError.self) {
      try XMLReader.read(into: &recorder) { _ in throw OutOfSpace() }
    }
    #expect(error?.description == "no space left")
  }
}
