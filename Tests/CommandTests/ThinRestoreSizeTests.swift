import Foundation
import TestSupport
import Testing

/// XML whose numbers, or names, are larger than what can be done with them.
@Suite struct ThinRestoreSizeTests {
  private let scratch: Scratch
  private let output: String

  init() throws {
    scratch = try Scratch()
    output = try scratch.blank("output", bytes: 4 << 20)
  }

  private func pool(blocks: UInt64, _ devices: String) -> Data {
    Data(
      """
      <superblock uuid="" time="0" transaction="1" version="2" data_block_size="128" \
      nr_data_blocks="\(blocks)">
      \(devices)</superblock>

      """.utf8)
  }

  private func device(_ id: Int, _ length: UInt64) -> String {
    """
    <device dev_id="\(id)" mapped_blocks="\(length)" transaction="0" creation_time="0" \
    snap_time="0">
    <range_mapping origin_begin="0" data_begin="0" length="\(length)" time="0"/>
    </device>

    """
  }

  /// Restores with little memory and time, from a pipe or from a file.
  private func restore(_ xml: Data, byPipe: Bool, to output: String) throws -> Shell.Result {
    let input = try scratch.file("pool.xml", xml)
    let source = byPipe ? "/dev/stdin" : input
    return try Program.script(
      """
      ulimit -v 1500000
      cat "$1" | timeout 60 $dmmeta thin_restore -i "$2" -o "$3"
      """, input, source, output)
  }

  @Test(arguments: [true, false])
  func `a pool that no device can hold is refused at once`(byPipe: Bool) throws {
    let many = (0..<40).map { device($0, 30_000_000) }.joined()
    for xml in [
      pool(blocks: 67_000_000_000, device(0, 66_000_000_000)),
      pool(blocks: 30_000_000, many),
      pool(blocks: 67_900_000_000, device(0, 1)),
      pool(blocks: .max, device(0, 1)),
      pool(blocks: .max, device(0, .max)),
    ] {
      let before = try Images.bytes(output)
      let result = try restore(xml, byPipe: byPipe, to: output)
      #expect(result.status == 73, "\(result.errorText)")
      #expect(
        result.errorText.hasPrefix("thin_restore: '\(output)' is too small, and so is any device: ")
      )
      // A file is read before anything is written.
      if !byPipe { #expect(try Images.bytes(output) == before) }
      #expect(try Program.check(output).status != 0)
    }
  }

  /// How many blocks are asked for.
  private func needed(_ result: Shell.Result) throws -> Int {
    #expect(result.status == 73)
    let number = /'(.*)' is too small: about (\d+) blocks of 4 KiB are needed/
    let match = try #require(result.errorText.firstMatch(of: number), "\(result.errorText)")
    #expect(match.1 == output)
    return try #require(Int(match.2))
  }

  @Test func `pipe and file agree on the size that is needed`() throws {
    for xml in [
      pool(blocks: 300_000_000, device(0, 300_000_000)), pool(blocks: 3_000_000_000, device(0, 1)),
      pool(blocks: 1_000_000, device(0, 1_000_000)),
    ] {
      let byFile = try needed(restore(xml, byPipe: false, to: output))
      let byPipe = try needed(restore(xml, byPipe: true, to: output))
      // What is added up are leaves; what is counted are all nodes.
      #expect(byFile <= byPipe && byPipe <= byFile + byFile / 100 + 8, "\(byFile), \(byPipe)")
    }
  }

  @Test func `names of hundreds of kilobytes take no room of their own`() throws {
    let script = """
      import resource, subprocess, sys
      # Made anew each time: the memory of this script is its child's until that has begun.
      def name(i): return ("%08d" % i) + "x" * 300000
      child = subprocess.Popen(
        [sys.argv[1], "thin_restore", "-i", "/dev/stdin", "-o", sys.argv[2]],
        stdin=subprocess.PIPE, text=True)
      out = child.stdin
      out.write('<superblock uuid="" time="1" transaction="1" version="2" '
                'data_block_size="128" nr_data_blocks="1000">\\n')
      for i in range(100):
        out.write('<def name="%s">'
                  '<single_mapping origin_block="0" data_block="%d" time="0"/></def>\\n'
                  % (name(i), i))
      for i in range(100):
        out.write('<device dev_id="%d" mapped_blocks="1" transaction="0" creation_time="0" '
                  'snap_time="0"><ref name="%s"/></device>\\n' % (i, name(i)))
      out.write('</superblock>')
      out.close()
      status = child.wait()
      print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
      sys.exit(status)
      """
    let result = try Shell.run(
      "/usr/bin/env", ["python3", "-c", script, Program.path, output])
    #expect(result.status == 0, "\(result.errorText)")
    let kib = try #require(Int(result.text.split(separator: "\n").last ?? ""))
    #expect(kib < 32 << 10)
    // Each device has its own mapping.
    let dump = try Program.dump(output).text
    for index in 0..<100 { #expect(dump.contains("data_block=\"\(index)\"")) }
  }

  @Test func `a long name in a message is cut`() throws {
    let name = String(repeating: "n", count: 300_000)
    for xml in [
      "<superblock>\n<\(name)/>", "<\(name)>", "<a></\(name)>", "<superblock \(name)='1'/>",
      "<superblock time='\(name)'/>",
    ] {
      let input = try scratch.file("pool.xml", Data(xml.utf8))
      let result = try Program.restore("-i", input, "-o", output)
      #expect([1, 65].contains(result.status))
      #expect(result.errorText.count < 600)
    }
  }
}
