import Foundation
import TestSupport
import Testing

/// thin_restore of XML that makes no sense: where, what, and no pool afterwards.
@Suite struct ThinRestoreRefusalTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let xml: String
    let complaint: String

    init(_ name: String, _ xml: String, _ complaint: String) {
      testDescription = name
      self.xml = xml
      self.complaint = complaint
    }
  }

  private static let begin = pool("128")
  private static let beginLate = begin.replacing("time=\"1\"", with: "time=\"16777216\"")
  private static let device = device("1")
  private static let mapping = #"<single_mapping origin_block="5" data_block="6" time="0"/>"#

  private static func pool(_ blockSize: String) -> String {
    #"<superblock uuid="" time="1" transaction="2" version="2" data_block_size="\#(blockSize)""#
      + #" nr_data_blocks="100">"# + "\n"
  }

  private static func device(_ id: String) -> String {
    " <device dev_id=\"\(id)\" mapped_blocks=\"1\" transaction=\"0\" creation_time=\"0\""
      + " snap_time=\"0\">\n"
  }

  /// A pool with one device that has these mappings.
  private static func mapped(_ mappings: String...) -> String {
    begin + device + mappings.map { "  \($0)\n" }.joined() + " </device>\n</superblock>\n"
  }

  private static func single(_ virtual: String, _ data: String, _ time: String = "0") -> String {
    "<single_mapping origin_block=\"\(virtual)\" data_block=\"\(data)\" time=\"\(time)\"/>"
  }

  private static func range(_ virtual: String, _ data: String, _ length: String) -> String {
    "<range_mapping origin_begin=\"\(virtual)\" data_begin=\"\(data)\" length=\"\(length)\""
      + " time=\"0\"/>"
  }

  private static let tags = [
    Case(
      "unknown tag", begin + " <gadget/>\n</superblock>\n",
      "line 2, column 2: unknown tag 'gadget'"),
    Case(
      "missing attribute", begin + " <device dev_id=\"1\" transaction=\"0\"/>\n</superblock>",
      "line 2, column 2: missing attribute 'mapped_blocks' for tag 'device'"),
    Case(
      "unknown attribute", mapped(#"<single_mapping colour="red"/>"#),
      "line 3, column 3: unknown attribute 'colour' in tag 'single_mapping'"),
    Case(
      "mapping outside a device", begin + "  \(mapping)\n</superblock>\n",
      "line 2, column 3: mapping tags must appear within a <def> or <device> tag"),
    Case(
      "reference to nothing", mapped(#"<ref name="x"/>"#),
      "line 3, column 3: couldn't find sub tree 'x'"),
    Case(
      "the same def twice",
      begin + " <def name=\"x\">\n  \(mapping)\n </def>\n <def name=\"x\">\n </def>\n</superblock>",
      "line 5, column 2: there are two <def> named 'x'"),
    Case(
      "device within a device", mapped(device + " </device>"),
      "line 3, column 4: <device> must not stand within <def> or <device>"),
    Case(
      "the same device twice",
      begin + device + " </device>\n" + device("0") + " </device>\n" + device + " </device>\n",
      "line 6, column 2: there are two devices with dev_id 1"),
    Case(
      "device id too large", begin + device("16777216") + " </device>\n</superblock>",
      "line 2, column 2: dev_id 16777216 is larger than 16777215"),
    Case(
      "no superblock", device + " </device>\n",
      "line 1, column 2: missing superblock"),
    Case(
      "superblock within a superblock", begin + begin + "</superblock></superblock>",
      "line 2, column 1: duplicated superblock"),
    Case(
      "two superblocks", begin + "</superblock>\n" + begin + "</superblock>\n",
      "line 3, column 1: junk after document element"),
    Case(
      "impossible block size", pool("100") + "</superblock>",
      "line 1, column 1: invalid data block size: 100 sectors are not a multiple of 128 (64 KiB), "
        + "at most 2097152 (1 GiB)"),
  ]

  private static let mappings = [
    Case(
      "data block beyond the device", mapped(single("5", "100")),
      "line 3, column 3: block out of bounds: data blocks from 100 on, but the data device has "
        + "100"),
    Case(
      "range beyond the device", mapped(range("5", "90", "11")),
      "line 3, column 3: block out of bounds: data blocks from 90 on, but the data device has 100"),
    Case(
      "descending virtual blocks", mapped(mapping, single("4", "7")),
      "line 4, column 3: virtual block 4 must not follow 5: mappings ascend"),
    Case(
      "overlapping ranges", mapped(range("5", "10", "4"), single("8", "20")),
      "line 4, column 3: virtual block 8 must not follow 8: mappings ascend"),
    Case(
      "empty range", mapped(range("5", "10", "0")), "line 3, column 3: a mapping has no length"),
    Case(
      "virtual blocks without end", mapped(range("18446744073709551615", "10", "2")),
      "line 3, column 3: virtual blocks from 18446744073709551615 on go beyond 2^64"),
    Case(
      "number too large", mapped(single("18446744073709551616", "6")),
      "line 3, column 3: attribute 'origin_block' of tag 'single_mapping' must be a decimal number "
        + "below 2^64 (found '18446744073709551616')"),
    Case(
      "no number", mapped(single("five", "6")),
      "line 3, column 3: attribute 'origin_block' of tag 'single_mapping' must be a decimal number "
        + "below 2^64 (found 'five')"),
    Case(
      "pool's time too large", beginLate + "</superblock>\n",
      "line 1, column 1: time 16777216 is larger than 16777215"),
    Case(
      "time too large", mapped(single("5", "6", "16777216")),
      "line 3, column 3: time 16777216 is larger than 16777215"),
    Case(
      "no room for a snapshot", mapped(single("5", "6", "16777215")),
      "line 3, column 3: time 16777215 is later than the pool's, 1, and the highest there is: no "
        + "snapshot could be made any more"),
  ]

  private static let text = [
    Case(
      "the end is missing", begin + device + "  \(mapping)\n",
      "line 2, column 2: the XML ends inside <device>"),
    Case(
      "the end of a tag is missing", begin + device + "  <single_mapping orig",
      "line 2, column 2: the XML ends inside <device>"),
    Case(
      "end tags don't fit", begin + device + " </devise>\n</superblock>",
      "line 3, column 2: the end tag is not that of <device>, opened at line 2, column 2"),
    Case(
      "an attribute stands twice", mapped(#"<single_mapping time="0" time="0"/>"#),
      "line 3, column 28: duplicate attribute"),
  ]

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test(arguments: tags + mappings + text)
  func `what makes no sense is told with its place`(test: Case) throws {
    let xml = try scratch.file("pool.xml", Data(test.xml.utf8))
    let output = try scratch.copy("thins")
    let before = try Images.bytes(output)
    let result = try Program.restore("-i", xml, "-o", output)
    #expect(result.status == 1)
    #expect(result.text.isEmpty)
    #expect(result.errorText == "thin_restore: \(xml): \(test.complaint)\n")
    // A file is read before anything is written.
    #expect(try Images.bytes(output) == before)
  }

  @Test(arguments: tags + mappings + text)
  func `from a pipe it leaves something that nobody takes for a pool`(test: Case) throws {
    let xml = try scratch.file("pool.xml", Data(test.xml.utf8))
    let output = try scratch.copy("thins")
    let result = try Program.script(
      "cat $1 | $dmmeta thin_restore -i /dev/stdin -o $2", xml, output)
    #expect(result.status == 1)
    #expect(result.errorText == "thin_restore: /dev/stdin: \(test.complaint)\n")
    try expectNoPool(output)
  }

  @Test(arguments: ["", "This is a letter.\n", "\u{1F}\u{8B}"])
  func `what is no XML at all has a status of its own`(content: String) throws {
    let input = try scratch.file("letter", Data(content.utf8))
    let output = try scratch.copy("thins")
    let before = try Images.bytes(output)
    let result = try Program.restore("-i", input, "-o", output)
    #expect(result.status == 65)
    #expect(result.errorText.hasPrefix("thin_restore: \(input): "))
    #expect(try Images.bytes(output) == before)
  }
}

/// Sees that no tool takes the image for a pool.
func expectNoPool(_ image: String) throws {
  let check = try Program.check(image)
  #expect(check.status == 1 || check.status == 65, "\(check.errorText)")
  #expect(check.text.isEmpty)
  #expect(try Program.dump(image).status != 0)
  #expect(try Peer.complaining(about: image) == Peer.allCases.filter(\.isThere))
}
