import Foundation
import TestSupport
import Testing

/// thin_restore of pools that make sense: what was dumped comes back.
@Suite struct ThinRestoreTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func dump(_ path: String) throws -> String {
    let result = try Program.dump("--compat", "0.9", path)
    #expect(result.status == 0, "\(result.errorText)")
    return result.text
  }

  /// The dump of a fixture as a restored pool has it: without the needs_check flag.
  private func wanted(_ name: String) throws -> String {
    try dump(Images.path(name)).replacing(
      " flags=\"1\" ", with: " flags=\"0\" ", maxReplacements: 1)
  }

  @Test(arguments: Images.names)
  func `what is dumped and restored is the same pool`(name: String) throws {
    let size = try Images.outputSize(name)
    for form in [[], ["--compat", "0.9"]] {
      let text = try Program.run("thin_dump", form + [Images.path(name)])
      let xml = try scratch.file("pool.xml", text.output)
      let output = try scratch.blank("output", bytes: size)
      let result = try Program.restore("-i", xml, "-o", output)
      #expect(result.status == 0, "\(result.errorText)")
      #expect(result.text.isEmpty)
      #expect(try Images.bytes(output).count == size)
      #expect(try dump(output) == wanted(name))
      #expect(try Peer.complaining(about: output) == [])

      let check = try Program.check(output)
      #expect(check.status == 0)
      #expect(check.complaints == [])
      // Written out, shared leaves take more.
      guard form.isEmpty else { continue }
      let free = try #require(number("METADATA_FREE_BLOCKS", in: check.text))
      let before = try Program.check(Images.path(name)).text
      let freeBefore = try #require(number("METADATA_FREE_BLOCKS", in: before))
      let used = try Images.bytes(Images.path(name)).count / 4096 - freeBefore
      #expect(Double(size / 4096 - free) <= Double(used) * 1.1 + 4)
    }
  }

  @Test(.enabled(if: Peer.new.isThere, Peer.new.absence), arguments: Images.names)
  func `what 1.1.0 dumps is taken as well`(name: String) throws {
    let xml = try scratch.file("pool.xml", Peer.new.run("thin_dump", Images.path(name)).output)
    let output = try scratch.blank("output", bytes: try Images.outputSize(name))
    #expect(try Program.restore("-i", xml, "-o", output).status == 0)
    #expect(try dump(output) == wanted(name))
  }

  @Test(.enabled(if: Peer.old.isThere, Peer.old.absence), arguments: Images.names)
  func `what 0.9.0 restores reads the same`(name: String) throws {
    let xml = try scratch.file("pool.xml", Program.dump("--compat=0.9", Images.path(name)).output)
    // Its nodes are half full, and it keeps the needs_check flag.
    let output = try scratch.blank("output", bytes: 2 * Images.outputSize(name))
    #expect(try Peer.old.run("thin_restore", "-i", xml, "-o", output).status == 0)
    #expect(try dump(output) == dump(Images.path(name)))
    #expect(try Program.check(output).status == 0)
  }

  @Test(arguments: [
    "cat $1 | $dmmeta thin_restore -i /dev/stdin -o $2",
    "$dmmeta thin_restore -i /proc/self/fd/7 -o $2 7< $1",
    "cat $1 | $dmmeta thin_restore -i /proc/self/fd/0 -o $2",
    "$dmmeta thin_restore -i <(cat $1) -o $2",
    "mkfifo $1.pipe; cat $1 > $1.pipe & $dmmeta thin_restore --input $1.pipe --output $2",
    "exec 9< $1; $dmmeta thin_restore -i /proc/$$/fd/9 -o $2",
  ])
  func `XML comes from a pipe as from a file`(script: String) throws {
    let xml = try scratch.file("pool.xml", Program.dump(Images.path("snapshots")).output)
    let output = try scratch.blank("output", bytes: 4 << 20)
    let result = try Program.script(script, xml, output)
    #expect(result.status == 0, "\(result.errorText)")
    #expect(try dump(output) == wanted("snapshots"))
  }

  @Test(arguments: ["snapshots", "thins", "power-cut"])
  func `LVM's XML is taken: one space a level and no flags`(name: String) throws {
    let xml = try Program.dump("--compat", "0.9", Images.path(name)).text
      .replacing(" flags=\"0\"", with: "")
      .replacing("\n    <", with: "\n  <").replacing("\n  <device", with: "\n <device")
      .replacing("\n  </device", with: "\n </device")
    #expect(xml.contains("\n <device ") && xml.contains("\n  <range_mapping "))
    let output = try scratch.blank("output", bytes: try Images.outputSize(name))
    let input = try scratch.file("pool.xml", Data(xml.utf8))
    #expect(try Program.restore("-i", input, "-o", output).status == 0)
    #expect(try dump(output) == wanted(name))
  }

  @Test func `XML by other hands may look otherwise`() throws {
    let xml = """
      <?xml version="1.0"?>
      <!-- a pool -->
      <superblock nr_data_blocks='100' data_block_size='128' version='2'
        transaction='2' time='1' uuid=''><device snap_time='0' creation_time='0' transaction='0'
        mapped_blocks='2' dev_id='1'><single_mapping time='0' data_block='6' origin_block='5'>
      </single_mapping><single_mapping time="1" data_block="7" origin_block="6"/></device>
      </superblock>
      """
    let output = try scratch.blank("output", bytes: 1 << 20)
    let input = try scratch.file("pool.xml", Data(xml.utf8))
    #expect(try Program.restore("-i", input, "-o", output).status == 0)
    #expect(
      try Program.dump(output).text == """
        <superblock uuid="" time="1" transaction="2" version="2" data_block_size="128" \
        nr_data_blocks="100">
          <device dev_id="1" mapped_blocks="2" transaction="0" creation_time="0" snap_time="0">
            <single_mapping origin_block="5" data_block="6" time="0"/>
            <single_mapping origin_block="6" data_block="7" time="1"/>
          </device>
        </superblock>
        """)
  }

  @Test func `numbers given are the least there is, but the block size is taken`() throws {
    let xml = try scratch.file("pool.xml", Program.dump(Images.path("snapshots")).output)
    for (options, wanted) in [
      (["--transaction-id", "1000", "--nr-data-blocks", "70000"], ["1000", "70000", "128"]),
      (["--transaction-id", "1", "--nr-data-blocks", "7"], ["42", "65536", "128"]),
      (["--data-block-size", "256"], ["42", "65536", "256"]),
    ] {
      let output = try scratch.blank("output", bytes: 4 << 20)
      let result = try Program.run("thin_restore", ["-i", xml, "-o", output] + options)
      #expect(result.status == 0)
      let pool = PoolText(try Program.dump(output).output).pool
      #expect(
        [pool["transaction"], pool["nr_data_blocks"], pool["data_block_size"]] == wanted)
      #expect(try Program.check(output).status == 0)
    }
  }

  private static let head =
    #"<superblock uuid="" time="1" transaction="2" version="2" data_block_size="128""#
    + #" nr_data_blocks="200000">"# + "\n"

  private static func device(_ id: Int, time: Int = 0) -> String {
    "<device dev_id=\"\(id)\" mapped_blocks=\"1\" transaction=\"0\" creation_time=\"0\""
      + " snap_time=\"0\">\n<single_mapping origin_block=\"\(id)\" data_block=\"\(id)\""
      + " time=\"\(time)\"/>\n</device>\n"
  }

  /// Both lists of devices have several leaves by then, and the first device out of order comes
  /// when some of these are written, or before.
  @Test(arguments: [3, 2000])
  func `devices are taken in any order`(count: Int) throws {
    var random = SeededRandom()
    let ids = Set((0..<count).map { _ in random.number(0...199_999) }).sorted()
    let middle = ids.count / 2
    var orders = [ids.shuffled(using: &random), Array(ids.reversed())]
    orders.append(Array(ids[middle...] + ids[..<middle]))
    orders.append(Array(ids.dropLast(2) + ids.suffix(2).reversed()))
    let sorted = try restored(ids)
    for order in orders {
      let output = try restored(order)
      #expect(try dump(output) == dump(sorted), "seed \(random.seed)")
      let check = try Program.check(output)
      #expect(check.status == 0 && check.complaints == [], "\(check.errorText)")
      #expect(try Peer.complaining(about: output) == [])
    }
  }

  private func restored(_ order: [Int]) throws -> String {
    let xml = try scratch.file(
      "pool.xml",
      Data((Self.head + order.map { Self.device($0) }.joined() + "</superblock>\n").utf8))
    // A size that is enough by what the message of a smaller one says.
    let small = try scratch.blank("small", bytes: 64 << 10)
    let refused = try Program.restore("-i", xml, "-o", small)
    var size = 64
    if refused.status != 0 {
      #expect(refused.status == 73)
      size = refused.errorText.split(separator: " ").compactMap { Int($0) }.last ?? 0
    }
    let output = try scratch.blank("output-\(UUID().uuidString)", bytes: size << 10)
    for script in [
      "$dmmeta thin_restore -i $1 -o $2", "cat $1 | $dmmeta thin_restore -i /dev/stdin -o $2",
    ] {
      let result = try Program.script(script, xml, output)
      #expect(result.status == 0, "\(result.errorText)")
    }
    return output
  }

  @Test(arguments: [2, 9, 16_777_214])
  func `a mapping newer than the pool raises the pool's time, which is said`(time: Int) throws {
    for order in [[1, 5], [5, 1]] {
      let devices = order.map { Self.device($0, time: $0 == 1 ? time : 0) }.joined()
      let xml = try scratch.file("pool.xml", Data((Self.head + devices + "</superblock>\n").utf8))
      let output = try scratch.blank("output", bytes: 1 << 20)
      let result = try Program.restore("-i", xml, "-o", output)
      #expect(result.status == 0)
      #expect(
        result.errorText
          == "The pool's time is raised to \(time): the XML has a mapping of that time.\n")
      #expect(PoolText(try Program.dump(output).output).pool["time"] == "\(time)")
      let check = try Program.check(output)
      #expect(check.status == 0 && check.complaints == [], "\(check.errorText)")
    }
  }

  @Test func `an old pool on the output leaves no trace`() throws {
    let xml = try scratch.file("pool.xml", Program.dump(Images.path("thins")).output)
    let output = try scratch.copy("snapshots")
    #expect(try Program.restore("-q", "-i", xml, "-o", output).status == 0)
    #expect(try dump(output) == wanted("thins"))
    #expect(try Program.check(output).complaints == [])
    #expect(try Peer.complaining(about: output) == [])
  }
}
