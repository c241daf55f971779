import Foundation
import TestSupport
import Testing

/// Outputs of thin_restore that can't be used, or give out in the midst of it.
@Suite struct ThinRestoreOutputTests {
  private let scratch: Scratch
  private let xml: String

  init() throws {
    scratch = try Scratch()
    xml = try scratch.file("pool.xml", Program.dump(Images.path("snapshots")).output)
  }

  @Test func `a missing output is not made`() throws {
    let output = scratch.folder.path + "/nothing"
    let result = try Program.restore("-i", xml, "-o", output)
    #expect(result.status == 73)
    #expect(result.errorText.hasPrefix("thin_restore: there is no output '\(output)'; make a file"))
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test func `a directory is no output`() throws {
    let result = try Program.restore("-i", xml, "-o", scratch.folder.path)
    #expect(result.status == 73)
    #expect(result.errorText.hasPrefix("thin_restore: output refused: '\(scratch.folder.path)'"))
  }

  @Test func `the input is no output`() throws {
    let before = try Images.bytes(xml)
    let link = scratch.folder.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: xml)
    for output in [xml, link] {
      let result = try Program.restore("-i", xml, "-o", output)
      #expect(result.status == 73)
      #expect(try Images.bytes(xml) == before)
    }
  }

  @Test func `an output that may not be written is refused`() throws {
    let output = try scratch.blank("output", bytes: 4 << 20)
    let result = try Program.script(
      """
      chmod 755 "$1"; chmod 444 "$2" "$3"; cp $dmmeta "$1/dmmeta"
      if [ "$(id -u)" = 0 ]; then
        become="setpriv --reuid=65534 --regid=65534 --clear-groups"
      fi
      exec $become "$1/dmmeta" thin_restore -i "$2" -o "$3"
      """, scratch.folder.path, xml, output)
    #expect(result.status == 73)
    #expect(
      result.errorText
        == "thin_restore: output refused: can't open '\(output)': permission denied\n")
    #expect(try Images.bytes(output) == Data(count: 4 << 20))
  }

  @Test(arguments: [0, 100, 4095])
  func `an output smaller than a block is refused`(size: Int) throws {
    let output = try scratch.blank("output", bytes: size)
    let result = try Program.restore("-i", xml, "-o", output)
    #expect(result.status == 73)
    #expect(result.errorText.contains("(\(size) bytes; one block has 4096)"))
  }

  @Test(arguments: [4096, 40 << 10])
  func `a file too small is left alone, and both sizes are told`(size: Int) throws {
    let old = Data(repeating: 0x55, count: size)
    let output = try scratch.file("output", old)
    let result = try Program.restore("-i", xml, "-o", output)
    #expect(result.status == 73)
    let numbers = try #require(
      result.errorText.firstMatch(
        of: /about (\d+) blocks of 4 KiB are needed, it has (\d+); give it (\d+) KiB or more/))
    let needed = try #require(Int(numbers.1))
    #expect(needed > size / 4096)
    #expect(Int(numbers.2) == size / 4096)
    #expect(try Images.bytes(output) == old)
    let roomy = try scratch.blank("roomy", bytes: try #require(Int(numbers.3)) << 10)
    #expect(try Program.restore("-i", xml, "-o", roomy).status == 0)
  }

  @Test func `from a pipe the size needed is exact`() throws {
    let small = try scratch.blank("small", bytes: 40 << 10)
    let script = "cat $1 | $dmmeta thin_restore -i /dev/stdin -o $2"
    let result = try Program.script(script, xml, small)
    #expect(result.status == 73)
    let match = try #require(result.errorText.firstMatch(of: /(\d+) blocks of 4 KiB are needed/))
    let needed = try #require(Int(match.1))
    try expectNoPool(small)

    let short = try scratch.blank("short", bytes: (needed - 1) * 4096)
    #expect(try Program.script(script, xml, short).status == 73)
    try expectNoPool(short)
    let enough = try scratch.blank("enough", bytes: needed * 4096)
    #expect(try Program.script(script, xml, enough).status == 0)
    #expect(try Program.check(enough).status == 0)
    let same = try scratch.blank("same", bytes: needed * 4096)
    #expect(try Program.restore("-i", xml, "-o", same).status == 0)
  }

  @Test(arguments: [0, 4, 64])
  func `a disk that is full is an I-O error, and leaves no pool`(kibibytes: Int) throws {
    // What was there before must not come through either.
    let output = try scratch.copy("thins")
    let result = try Program.script(
      "ulimit -f $3; exec $dmmeta thin_restore -i $1 -o $2", xml, output, "\(kibibytes)")
    #expect(result.status == 74)
    #expect(result.errorText.contains("can't write block"))
    #expect(result.errorText.contains("file too large"))
    // Not even the notice could be written where there was no room at all.
    if kibibytes > 0 { try expectNoPool(output) }
  }

  @Test(arguments: ["thin_restore", "thin_restore of a large pool"])
  func `killed in the midst of it, it leaves something that nobody takes for a pool`(
    size: String
  ) throws {
    let name = size == "thin_restore" ? "snapshots" : "three-levels"
    let xml = try scratch.file("slow.xml", Program.dump("--compat=0.9", Images.path(name)).output)
    let output = try scratch.copy("thins")
    // Half of the XML comes at once, the rest never; what was written by then is all there is.
    let result = try Program.script(
      """
      cp "$2" "$2.before"
      mkfifo "$1.pipe"
      $dmmeta thin_restore -i "$1.pipe" -o "$2" &
      tool=$!
      exec 8> "$1.pipe"
      head -c $(($(stat -c %s "$1") / 2)) "$1" >&8
      for try in $(seq 1200); do
        cmp -s "$2" "$2.before" || break
        sleep 0.05
      done
      sleep 0.3
      kill -9 $tool
      wait $tool
      """, xml, output)
    #expect(result.status == 128 + 9)
    #expect(try Images.bytes(output) != Images.bytes(Images.path("thins")))
    try expectNoPool(output)
    #expect(try Program.check(output).errorText.contains("restore or repair"))

    // And it can simply be done again.
    let whole = try scratch.file("again", Images.bytes(output) + Data(count: 16 << 20))
    #expect(try Program.restore("-i", xml, "-o", whole).status == 0)
    #expect(try Program.check(whole).status == 0)
  }
}
