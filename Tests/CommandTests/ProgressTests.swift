import Foundation
import TestSupport
import Testing

/// What is shown of long jobs. XML from a pipe that is slow makes any job long.
@Suite struct ProgressTests {
  private let scratch: Scratch
  private let output: String
  private let xml: String

  init() throws {
    scratch = try Scratch()
    output = try scratch.blank("output", bytes: 1 << 20)
    xml = try scratch.file("xml", Program.dump(Images.path("thins")).output)
  }

  /// Runs a shell's words while a pipe, `$pipe`, gives the XML: a part at once and the rest a while
  /// later. All that is started here has ended when this returns, as it may hold on to what other
  /// tests wait for.
  private func run(_ words: String) throws -> Shell.Result {
    try Program.script(
      """
      pipe=$1/pipe; output=$2; mkfifo "$pipe"
      (head -c 300 "$3"; sleep 3; tail -c +301 "$3") >"$pipe" &
      \(words); status=$?
      wait; exit $status
      """, scratch.folder.path, output, xml)
  }

  @Test(arguments: [80, 30, 20, 5])
  func `progress fits the terminal, names the writing and leaves no trace`(columns: Int) throws {
    let shell = try run(Terminal.script("thin_restore -i $pipe -o $output", columns: columns))
    let result = Terminal.Result(status: shell.status, raw: shell.text)
    #expect(result.status == 0, "\(result.text)")
    let lines = result.progress
    #expect(lines.allSatisfy { $0.count < columns }, "\(lines)")
    if columns >= 20 { #expect(lines.contains { $0.hasPrefix("writing the") }, "\(result.raw)") }
    #expect(result.raw.hasSuffix("\r\u{1B}[K"), "\(result.raw)")
  }

  @Test func `with -q there is no progress`() throws {
    let result = try run(Terminal.script("thin_restore -q -i $pipe -o $output"))
    #expect(result.status == 0)
    #expect(result.text == "")
  }

  @Test func `there is no progress where standard error is no terminal`() throws {
    let result = try run("$dmmeta thin_restore -i $pipe -o $output")
    #expect(result.status == 0)
    #expect(result.errorText == "")
  }
}
