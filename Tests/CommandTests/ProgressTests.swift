import Foundation
import TestSupport
import Testing

/// What is shown of long jobs. XML from a pipe that is slow makes any job long.
@Suite struct ProgressTests {
  private let scratch: Scratch
  private let output: String
  private let pipe: String

  init() throws {
    scratch = try Scratch()
    output = try scratch.blank("output", bytes: 1 << 20)
    pipe = scratch.folder.path + "/pipe"
    let xml = try scratch.file("xml", Program.dump(Images.path("thins")).output)
    // Whoever reads gets one half at once and the other a while later.
    _ = try Shell.run(
      "/bin/bash",
      [
        "-c",
        """
        mkfifo "$1"
        # What waits for a reader must not hold on to our own pipes.
        (
          exec </dev/null >/dev/null 2>&1
          { head -c 300 "$2"; sleep 1.8; tail -c +301 "$2"; } >"$1"
        ) &
        disown
        """, "bash", pipe, xml,
      ])
  }

  @Test(arguments: [80, 30, 20, 5])
  func `progress fits the terminal, names the writing and leaves no trace`(columns: Int) throws {
    let result = try Terminal.run("thin_restore", "-i", pipe, "-o", output, columns: columns)
    #expect(result.status == 0, "\(result.text)")
    let lines = result.progress
    #expect(lines.allSatisfy { $0.count < columns }, "\(lines)")
    if columns >= 20 { #expect(lines.contains { $0.hasPrefix("writing the") }, "\(result.raw)") }
    #expect(result.raw.hasSuffix("\r\u{1B}[K"), "\(result.raw)")
  }

  @Test func `with -q there is no progress`() throws {
    let result = try Terminal.run("thin_restore", "-q", "-i", pipe, "-o", output)
    #expect(result.status == 0)
    #expect(result.raw == "")
  }

  @Test func `there is no progress where standard error is no terminal`() throws {
    let result = try Program.restore("-i", pipe, "-o", output)
    #expect(result.status == 0)
    #expect(result.errorText == "")
  }
}
