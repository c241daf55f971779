import Foundation
import TestSupport
import Testing

/// What shells offer, asked of the shells themselves.
@Suite struct CompletionTests {
  /// Command lines, and what is offered for their last word.
  static let cases: [(words: [String], offered: [String])] = [
    (["dmmeta", "thin_c"], ["thin_check"]),
    (["dmmeta", "help", "thin_re"], ["thin_repair", "thin_restore"]),
    (["pdata_tools", "thin_du"], ["thin_dump"]),
    (["thin_check", "--form"], ["--format"]),
    (["dmmeta", "thin_check", "--form"], ["--format"]),
    (["thin_check", "--format", ""], ["json", "text"]),
    (["dmmeta", "thin_check", "-f", "j"], ["json"]),
    (["thin_repair", "--accept", ""], ["guessed", "likely", "proven"]),
    (["dmmeta", "thin_dump", "--accept", "l"], ["likely"]),
    (["thin_dump", "--format", "h"], ["human_readable"]),
    (["thin_generate_metadata", "--data", "per"], ["permuted"]),
    // Numbers can't be offered, and files would be wrong.
    (["thin_dump", "--dev-id", ""], []),
  ]

  private static func script(_ shell: String) throws -> String {
    let result = try Program.start(Program.path, ["--completion", shell])
    #expect(result.status == 0)
    #expect(result.errorText.isEmpty)
    return result.text
  }

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func file(_ shell: String) throws -> String {
    let file = scratch.folder.appendingPathComponent("completion.\(shell)")
    try CompletionTests.script(shell).write(to: file, atomically: true, encoding: .utf8)
    return file.path
  }

  @Test func `bash offers tools, options and values`() throws {
    let file = try file("bash")
    for test in CompletionTests.cases {
      let result = try Program.script(
        """
        source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dmmeta
        for word in "${COMPREPLY[@]}"; do echo "$word"; done
        """, [file] + test.words)
      #expect(
        result.text.split(separator: "\n").map(String.init).sorted() == test.offered,
        "\(test.words): \(result.errorText)")
    }
  }

  @Test func `bash offers values behind an equals sign`() throws {
    // As bash breaks the line.
    for words in [["thin_ls", "--format", "="], ["thin_ls", "--format", "=", "j"]] {
      let result = try Program.script(
        """
        source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dmmeta
        echo "${COMPREPLY[@]}"
        """, [try file("bash")] + words)
      #expect(result.text == (words.count == 3 ? "text json\n" : "json\n"))
    }
  }

  @Test func `fish offers tools, options and values`() throws {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/fish") else { return }
    let file = try file("fish")
    for test in CompletionTests.cases {
      let line = test.words.joined(separator: " ")
      let result = try Shell.run(
        "/usr/bin/fish", ["--no-config", "-c", "source $argv[1]; complete -C $argv[2]", file, line])
      let offered = result.text.split(separator: "\n").map { $0.prefix { $0 != "\t" } }
      #expect(offered.map(String.init).sorted() == test.offered, "\(line): \(result.errorText)")
    }
  }

  @Test func `zsh can read its file, which has all tools and options`() throws {
    let text = try CompletionTests.script("zsh")
    #expect(text.hasPrefix("#compdef dmmeta pdata_tools \(Program.tools[0]) "))
    for tool in Program.tools { #expect(text.contains("    \(tool)) _arguments ")) }
    #expect(text.contains("{-f+,--format=}'[How to report."))
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/zsh") else { return }
    let result = try Shell.run("/usr/bin/zsh", ["-f", "-n", try file("zsh")])
    #expect(result.status == 0, "\(result.errorText)")
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `every option of every tool is known to the shell`(shell: String) throws {
    let script = try CompletionTests.script(shell)
    for tool in Program.tools {
      let help = try Program.run(tool, ["--help"]).text
      for match in help.matches(of: /\n  (?:-\w, )?--([a-z0-9-]+)/) {
        #expect(script.contains(String(match.output.1)), "\(tool) --\(match.output.1)")
      }
    }
  }

  @Test func `another shell is refused`() throws {
    for words in [["--completion"], ["--completion", "tcsh"]] {
      let result = try Program.start(Program.path, words)
      #expect(result.status == 64)
      #expect(result.text.isEmpty)
      #expect(result.errorText == "--completion is for one of these: bash, zsh, fish\n")
    }
  }
}
