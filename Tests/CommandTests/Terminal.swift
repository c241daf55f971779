import Foundation
import TestSupport
import Testing

/// Runs the program with standard output and standard error on a terminal.
enum Terminal {
  struct Result {
    let status: Int32
    /// All that was written, as it was.
    let raw: String
    /// The same as lines of text.
    var text: String { raw.replacing("\r\n", with: "\n") }

    /// Lines that were written over again.
    var progress: [Substring] {
      text.split(separator: "\r").map { $0.drop { !$0.isLetter }.prefix { $0 != "\n" } }
        .map { $0.hasPrefix("K") ? $0.dropFirst() : $0 }.filter { !$0.isEmpty }
    }
  }

  /// The shell's words that run a tool, `$dmmeta` being the program.
  static func script(_ command: String, columns: Int = 80) -> String {
    "script -qfec \"stty columns \(columns) rows 24; exec $dmmeta \(command)\" /dev/null"
  }

  static func run(_ tool: String, _ arguments: String...) throws -> Result {
    let words = ([tool] + arguments).map { "'\($0)'" }.joined(separator: " ")
    let result = try Program.script(script(words))
    return Result(status: result.status, raw: result.text)
  }
}
