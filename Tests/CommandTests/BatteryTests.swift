import Foundation
import TestSupport
import Testing

/// What every tool has to stand, whatever it does.
@Suite struct BatteryTests {
  /// A tool and how its input and output are named.
  struct Case: CustomTestStringConvertible, Sendable {
    let tool: String
    var testDescription: String { tool }

    static let all = Program.tools.filter { $0.hasPrefix("thin_") }.map { Case(tool: $0) }
    /// Those that take an input.
    static let reading = all.filter {
      ![
        "thin_generate_metadata", "thin_metadata_size",
        // These take two devices; what they have to stand is tried in other suites.
        "thin_shrink", "thin_trim",
      ].contains($0.tool)
    }
    static let binary = reading.filter {
      $0.tool != "thin_restore" && $0.tool != "thin_metadata_unpack"
    }
    static let writing = all.filter(\.writes)

    /// What some tools have to be told besides.
    private static let needed = [
      "thin_delta": ["--thin1", "0", "--thin2", "0"], "thin_rmap": ["--region", "0..10"],
    ]

    var writes: Bool {
      ["thin_metadata_pack", "thin_metadata_unpack", "thin_repair", "thin_restore"].contains(tool)
    }

    func arguments(_ input: String, _ output: String) -> [String] {
      writes ? ["-i", input, "-o", output] : Case.needed[tool, default: []] + [input]
    }
  }

  private let scratch: Scratch
  private let output: String

  init() throws {
    scratch = try Scratch()
    output = try scratch.blank("output", bytes: 4 << 20)
  }

  private func run(_ test: Case, _ input: String) throws -> Shell.Result {
    try Program.run(test.tool, test.arguments(input, output))
  }

  @Test(arguments: Case.all)
  func `help is printed whole`(test: Case) throws {
    for option in ["-h", "--help"] {
      // The width of a terminal, which some shells export, breaks lines elsewhere.
      let result = try Program.script("unset COLUMNS; exec $dmmeta $1 $2", test.tool, option)
      #expect(result.status == 0)
      #expect(result.text == HelpTexts.all[test.tool])
      #expect(result.errorText.isEmpty)
    }
  }

  @Test(arguments: Case.all)
  func `the version stands alone on its line`(test: Case) throws {
    for option in ["-V", "--version"] {
      let result = try Program.run(test.tool, [option])
      #expect(result.status == 0)
      #expect(result.text.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil, "\(result.text)")
      #expect(result.errorText.isEmpty)
    }
  }

  @Test(arguments: Case.reading)
  func `an unknown option is a usage error`(test: Case) throws {
    for option in ["--bogus", "-Z", "--input-file=x"] {
      let result = try Program.run(
        test.tool, test.arguments(try Images.path("fresh"), output) + [option])
      #expect(result.status == 64)
      #expect(result.text.isEmpty)
      #expect(result.errorText.contains("Unknown option '\(option.prefix { $0 != "=" })'"))
    }
  }

  @Test(arguments: ToolSample.all)
  func `an unknown option is named though arguments are missing`(sample: ToolSample) throws {
    try sample.layOut(in: scratch.folder)
    let before = try ToolSample.files(in: scratch.folder)
    for word in ["--no-such-option", "--no-such-option=3", "-Z", "-qZ", "--quiett"] {
      for arguments in [[word], [word] + sample.arguments, sample.arguments + [word]] {
        let result = try Descriptor.run(sample.tool, arguments, in: scratch.folder)
        #expect(result.status == 64)
        #expect(result.text.isEmpty)
        let name = word == "-qZ" ? "-Z" : String(word.prefix { $0 != "=" })
        #expect(
          result.errorText.contains("Unknown option '\(name)'"), "\(arguments): \(result.errorText)"
        )
      }
    }
    #expect(try ToolSample.files(in: scratch.folder) == before)
  }

  @Test func `what is no option is not taken for one`() throws {
    for (tool, arguments) in [
      ("thin_repair", ["-i", "--", "--bogus"]), ("thin_dump", ["-ofile", "-fxml"]),
      ("thin_check", ["-vv", "--", "-Z", "more"]), ("thin_roots", ["--recover", "-1", "x"]),
    ] {
      let result = try Program.run(tool, arguments)
      #expect(result.status == 64)
      #expect(!result.errorText.contains("Unknown option"), "\(result.errorText)")
    }
  }

  @Test(arguments: Case.all)
  func `no arguments are a usage error`(test: Case) throws {
    let result = try Program.run(test.tool, [])
    #expect(result.status == 64)
    #expect(result.text.isEmpty)
    #expect(result.errorText.contains("USAGE: \(test.tool) "))
  }

  @Test(arguments: Case.reading)
  func `a second input is a usage error`(test: Case) throws {
    let image = try Images.path("fresh")
    let result = try Program.run(test.tool, test.arguments(image, output) + [image, image])
    #expect(result.status == 64)
    #expect(result.text.isEmpty)
  }

  @Test(arguments: Case.writing)
  func `a missing output option is a usage error`(test: Case) throws {
    let result = try Program.run(test.tool, ["-i", try Images.path("fresh")])
    #expect(result.status == 64)
    #expect(result.errorText.contains("--output"))
  }

  @Test(arguments: Case.reading)
  func `a number that is none is a usage error`(test: Case) throws {
    let option = test.tool == "thin_check" ? "--override-mapping-root" : "--transaction-id"
    for value in ["five", "-1", "18446744073709551616", ""] {
      let result = try Program.run(
        test.tool, test.arguments(try Images.path("fresh"), output) + ["\(option)=\(value)"])
      #expect(result.status == 64)
      #expect(result.text.isEmpty)
    }
  }

  @Test(arguments: Case.reading)
  func `a missing input has a status of its own`(test: Case) throws {
    for path in ["/nowhere/at/all", scratch.folder.path + "/nothing", output + "/below"] {
      let result = try run(test, path)
      #expect(result.status == 66)
      #expect(result.text.isEmpty)
      #expect(result.errorText == "\(test.tool): there is no file or device '\(path)'\n")
    }
  }

  @Test(arguments: Case.reading)
  func `a directory is no input`(test: Case) throws {
    let result = try run(test, scratch.folder.path)
    #expect(result.status == 65)
    #expect(result.text.isEmpty)
    #expect(result.errorText.contains(scratch.folder.path))
  }

  @Test(arguments: Case.reading)
  func `an input that may not be read is an I-O error`(test: Case) throws {
    let image = try scratch.copy("fresh")
    let result = try Program.script(
      """
      chmod 755 "$2"; chmod 666 "$2/output"; chmod 000 "$3"
      cp $dmmeta "$2/dmmeta"; cd "$2"
      # Root may read anything, so somebody else has to try.
      if [ "$(id -u)" = 0 ]; then
        become="setpriv --reuid=65534 --regid=65534 --clear-groups"
      fi
      shift 3
      exec $become ./dmmeta "$@"
      """, [test.tool, scratch.folder.path, image, test.tool] + test.arguments(image, "output"))
    #expect(result.status == 74)
    #expect(result.text.isEmpty)
    #expect(result.errorText == "\(test.tool): can't open '\(image)': permission denied\n")
  }

  @Test(arguments: Case.reading)
  func `an empty or tiny input is not metadata`(test: Case) throws {
    for (name, content) in [("empty", ""), ("tiny", "hello\n"), ("short", text(4095))] {
      let result = try run(test, scratch.file(name, Data(content.utf8)))
      #expect(result.status == 65, "\(name)")
      #expect(result.text.isEmpty)
      #expect(result.errorText.contains(name))
    }
  }

  private func text(_ size: Int) -> String { String(repeating: "x", count: size) }

  @Test(arguments: Case.binary, [1_000, 100_000])
  func `XML in place of metadata is named`(test: Case, size: Int) throws {
    let xml = try Program.dump(Images.path("power-cut")).output.prefix(size)
    let path = try scratch.file("pool.xml", xml)
    let result = try run(test, path)
    #expect(result.status == 65)
    #expect(result.text.isEmpty)
    #expect(
      result.errorText
        == "\(test.tool): '\(path)' is not the metadata of a thin pool: this is XML; this "
        + "makes metadata of it:\n  thin_restore -i \(path) -o NEW\n")
  }

  @Test(arguments: Case.reading)
  func `quiet tools say nothing of failures either`(test: Case) throws {
    for input in ["/nowhere", scratch.folder.path, try scratch.file("tiny", Data("x".utf8))] {
      let loud = try run(test, input)
      for option in ["-q", "--quiet"] {
        let result = try Program.run(test.tool, test.arguments(input, output) + [option])
        #expect(result.status == loud.status)
        #expect(result.output.isEmpty)
        #expect(result.errors.isEmpty)
      }
    }
  }

  @Test(arguments: Case.reading)
  func `options that no longer matter are taken`(test: Case) throws {
    let image = try Images.path("snapshots")
    var input = image
    if test.tool == "thin_restore" {
      input = try scratch.file("pool.xml", Program.dump(image).output)
    } else if test.tool == "thin_metadata_unpack" {
      input = scratch.folder.path + "/packed"
      _ = try Program.run("thin_metadata_pack", ["-i", image, "-o", input])
    }
    let result = try Program.run(
      test.tool, test.arguments(input, output) + ["-v", "-vv", "--io-engine", "sync"])
    #expect(result.status == 0, "\(result.errorText)")
  }
}
