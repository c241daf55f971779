import Foundation
import TestSupport
import Testing

/// The figures and the spellings of old, and what is new.
@Suite struct ThinMetadataSizeTests {
  private func size(_ words: String) throws -> Shell.Result {
    try Program.run("thin_metadata_size", words.split(separator: " ").map(String.init))
  }

  private func expect(
    _ words: String, _ figure: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try size(words)
    #expect(result.status == 0, "\(words)", sourceLocation: sourceLocation)
    #expect(result.text == figure + "\n", "\(words)", sourceLocation: sourceLocation)
    #expect(result.errorText.isEmpty, "\(words)", sourceLocation: sourceLocation)
  }

  @Test func `figures are those of version 1`() throws {
    try expect("-b 128 -s 2097152 -m 1", "1064 sectors")
    try expect("-b64k -s1t -m1000", "1073232 sectors")
    try expect("-b64k -s64k -m0", "16 sectors")
    try expect("-b 1g -s 1p -m 5", "66632 sectors")
    try expect("-b64k -s1p -m1", "33292800 sectors")
    try expect("-b64k -s1t -m18446744073709551615", "33292800 sectors")
    try expect("-b64k -s15e -m4294967296", "33292800 sectors")
  }

  @Test(.enabled(if: Peer.new.isThere, Peer.new.absence))
  func `units come out as from version 1`() throws {
    for unit in ["b", "s", "k", "m", "g", "p", "e", "K", "M", "G", "T", "P", "E"] {
      for (pool, thins) in [("1t", "1000"), ("100g", "7"), ("3333m", "1"), ("16t", "123456")] {
        for form in [[], ["-n"], ["-n=short"], ["-n=long"]] {
          let words = ["-b", "64k", "-s", pool, "-m", thins, "-u", unit] + form
          let ours = try Program.run("thin_metadata_size", words)
          let theirs = try Peer.new.run("thin_metadata_size", words)
          #expect(Self.parts(ours.text) == Self.parts(theirs.text), "\(words)")
          #expect(ours.text.count == theirs.text.count, "\(words)")
        }
      }
    }
    // Version 1 says terabytes.
    try expect("-b64k -s1t -m1000 -ut", "0.0004997625946998596 tebibytes")
  }

  /// The number and what follows. Of two decimal numbers that tell a double from all others, as
  /// short as each other, programs take either.
  private static func parts(_ text: String) -> [String] {
    let figure = text.prefix { $0.isNumber || $0 == "." }
    return [Double(figure).map { "\($0)" } ?? "", String(text.dropFirst(figure.count))]
  }

  @Test(arguments: [
    "--block-size=64k --pool-size=1t --max-thins=1000", "-b 64KiB -s 1TiB -m 1000",
    "-b 64kibibyte -s 1tebibyte -m 1000", "-b 64kibibytes -s 1tebibytes -m 1000",
    "-b64kibi -s1tebi -m1000", "-b128s -s2147483648s -m1000", "-b65536b -s1024g -m1K",
    "-b128 -s2147483648 -m1000 -us", "-b64k -s1t -m1000 --unit=sector",
    "-m1000 -s1t -b64k -u sectors",
  ])
  func `every spelling is taken`(words: String) throws { try expect(words, "1073232 sectors") }

  @Test func `numbers come alone, or with a unit`() throws {
    for (words, wanted) in [
      ("-n", "1073232"), ("--numeric-only", "1073232"), ("-nshort", "1073232s"),
      ("-n=short", "1073232s"), ("--numeric-only=short", "1073232s"),
      ("-nlong", "1073232sectors"), ("-n=long", "1073232sectors"), ("-um -n", "524.04"),
      ("-um -nlong", "524.04mebibytes"), ("-n -um", "524.04"), ("-uM -nshort", "549.49M"),
    ] {
      try expect("-b64k -s1t -m1000 " + words, wanted)
    }
    try expect("-b64k -s1t -m1k", "1073424 sectors")
  }

  @Test(arguments: [
    "-b0 -s1t -m1", "-b32k -s1t -m1", "-b100k -s1t -m1", "-b2g -s1t -m1", "-b64k -s1k -m1",
    "-b64k -s0 -m1", "-b64x -s1t -m1", "-bk -s1t -m1", "-b64k -s16e -m1", "-b64k -s-1 -m1",
    "-b64k -s1.5t -m1", "-b64k -s1t -m18446744073709551616", "-b64k -s1t -m1 -uq",
    "-b64k -s1t -m1 -n=what", "-b64k -s1t -m1 x", "-s1t -m1", "-b64k -m1", "-b64k -s1t", "-b64k",
    "-b64k -s1t -m1 --change 5", "-b64k -s1t -m1 --snapshots 2 --change 101",
    "-b64k -s1t -m1 --snapshots 2 --change 5%%", "-b64k -s1t -m1 --snapshots 2 --change -1",
    "-b64k -s1t -m1 --snapshots 2 --change 1.", "-b64k -s1t -m1 --snapshots 99999999999",
    "-b127 -s1t -m1", "-b2097280 -s2t -m1",
  ])
  func `what makes no sense is refused`(words: String) throws {
    let result = try size(words)
    #expect(result.status == 64)
    #expect(result.text.isEmpty)
    #expect(!result.errorText.isEmpty)
  }

  @Test func `snapshots that change need more`() throws {
    let plain = try size("-b64k -s1t -m10 -n")
    for change in ["5", "5%", "5.0000"] {
      let result = try size("-b64k -s1t -m10 -n --snapshots 9 --change \(change)")
      #expect(result.status == 0)
      let (more, less) = (UInt64(result.text.dropLast()), UInt64(plain.text.dropLast()))
      #expect(try #require(more) > 3 * #require(less), "\(change)")
    }
    // Nothing changes: there is nothing to be kept twice.
    try expect("-b64k -s1t -m10 -n --snapshots 9 --change 0", plain.text.dropLast() + "")
    let limited = try size("-b64k -s8t -m100 --snapshots 99 --change 1")
    #expect(limited.text == "33292800 sectors\n")
    #expect(limited.errorText.hasPrefix("More would be of use"))
  }
}
