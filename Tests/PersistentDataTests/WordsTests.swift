import Foundation
import PersistentData
import TestSupport
import Testing

/// Names of files as strings, as text for a terminal, and as words for a shell.
@Suite struct WordsTests {
  private func randomName(_ random: inout SeededRandom) -> [UInt8] {
    let odd = ["\n", "\u{9B}", "\u{2028}", "\u{10FF0A}", "é", "'", "\\"]
    return (0..<random.number(1..<12)).flatMap { _ -> [UInt8] in
      switch random.number(0..<5) {
      case 0: [random.number(1...255)]
      case 1:
        Array(odd[random.number(0..<odd.count)].utf8)
      default: [random.number(0x20..<0x7F)]
      }
    }
  }

  @Test func `every name comes back to the last byte`() {
    var random = SeededRandom()
    for _ in 0..<20_000 {
      let name = randomName(&random)
      let bytes = FileName.onDisk(FileName.decode(name)).map { UInt8(bitPattern: $0) }
      #expect(bytes == name + [0], "seed \(random.seed)")
    }
    #expect(FileName.decode("plain é.img".utf8) == "plain é.img")
  }

  @Test func `what is printed is one line of harmless characters`() {
    var random = SeededRandom()
    for _ in 0..<20_000 {
      let text = FileName.decode(randomName(&random)).printable
      #expect(!text.unicodeScalars.contains { $0.isHidden || $0 == "\n" }, "seed \(random.seed)")
    }
    #expect("two\nlines of text".printable == "two\nlines of text")
    #expect(FileName.decode("a\nb\u{1B}[1m\tc".utf8).printable == "a\\nb\\x1b[1m\\tc")
    #expect(FileName.decode([0x61, 0xE9]).printable == "a\\xe9")
    #expect("\u{9B}".printable == "\\xc2\\x9b")
  }

  @Test func `a shell takes a word for the very name`() throws {
    var random = SeededRandom()
    let names = (0..<300).map { _ in randomName(&random) }
    let words = names.map { ShellWord(FileName.decode($0)).description }
    let result = try Shell.run(
      "/bin/bash", ["-c", "printf '%s\\0' " + words.joined(separator: " ")])
    let read = result.output.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    let wanted = names.map { $0.first == UInt8(ascii: "-") ? Array("./".utf8) + $0 : $0 }
    #expect(read.dropLast() == wanted[...], "seed \(random.seed)")
  }

  @Test(arguments: [
    ("/dev/mapper/vg-pool_tmeta", "/dev/mapper/vg-pool_tmeta"), ("", "''"), ("a b", "'a b'"),
    ("it's", #"'it'\''s'"#), ("-o", "./-o"), ("~", "'~'"), ("a\u{7}'", #"$'a\x07\''"#),
  ])
  func `words are quoted where they have to be`(name: String, word: String) {
    #expect(ShellWord(name).description == word)
  }
}
