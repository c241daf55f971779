import Foundation
import TestSupport
import Testing

/// Names of files that a shell would take apart, or that would do something to a terminal.
@Suite struct OddNameTests {
  static let names: [[UInt8]] =
    [
      "my pool.img", "it's.img", "say \"hi\".img", "$(touch broken).img", "a;b&c.img",
      "back\\slash.img", "new\nline.img", "end\n", "star*.img", "tab\there.img",
      "\u{1B}[31mred.img", "\u{1B}]0;title\u{7}.img", "caf\u{E9}.img", "c1\u{9B}31m.img",
      "\u{202E}gmi.img", "line\u{2028}break.img", "-dash.img", "#hash.img", "~.img", "!bang.img",
      "`touch broken`.img", "{a,b}.img", "\u{10FF0A}.img",
    ].map { Array($0.utf8) } + [Array("latin\u{E9}".unicodeScalars.map { UInt8($0.value) })]

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Runs a script in the scratch folder; a name is `$1`, made of escaped bytes so that nothing on
  /// the way there takes it for text.
  private func run(_ name: [UInt8], _ script: String, _ more: String...) throws -> Shell.Result {
    let octal = name.map { "\\" + String($0, radix: 8) }.joined()
    return try Program.script(
      "cd \"$1\"; printf -v name '%b' '\(octal.replacing("\\", with: "\\0"))'\n"
        + "set -- \"$name\" \"${@:2}\"\n" + script, [scratch.folder.path] + more)
  }

  private func isHarmless(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control: scalar == "\n"
      case .format, .lineSeparator, .paragraphSeparator: false
      default: true
      }
    }
  }

  @Test(arguments: ToolSample.all.filter { $0.input != nil })
  func `a name does nothing to a terminal and makes no line of its own`(
    sample: ToolSample
  ) throws {
    for name in OddNameTests.names {
      let words = sample.arguments.map { $0 == sample.input ? "\"./$1\"" : "'\($0)'" }
      try sample.layOut(in: scratch.folder)
      let result = try run(name, "exec $dmmeta \(sample.tool) \(words.joined(separator: " "))")
      #expect(result.status == 66)
      #expect(result.text.isEmpty)
      #expect(isHarmless(result.errorText), "\(result.errorText.debugDescription)")
      #expect(result.errorText.split(separator: "\n").count == 1)
    }
  }

  @Test(arguments: ToolSample.all)
  func `nor does an option that there is not`(sample: ToolSample) throws {
    for name in OddNameTests.names {
      let result = try run(
        name, "exec $dmmeta \(sample.tool) \"--$1\" x </dev/null")
      #expect(result.status == 64)
      #expect(isHarmless(result.errorText), "\(result.errorText.debugDescription)")
    }
    let result = try run(Array("x\u{1B}[31m\nerror: y".utf8), "exec $dmmeta \"$1\"")
    #expect(result.status == 64)
    #expect(isHarmless(result.errorText))
    #expect(!result.errorText.contains("\nerror: y"))
  }

  /// How each tool is made to print a command with the name: a fixture, and what is done to it.
  @Test(arguments: [
    ("thin_check", "discard-leak", ""), ("thin_check", "snapshots", "seek=0"),
    ("thin_roots", "just-deleted", ""),
  ])
  func `commands that are printed mean the very file`(
    tool: String, image: String, damage: String
  ) throws {
    for name in OddNameTests.names {
      let result = try run(
        name,
        """
        cat "$2" >"./$1"
        [ -z "$3" ] || printf xyz | dd of="./$1" conv=notrunc bs=4096 $3 2>/dev/null
        $dmmeta \(tool) "./$1" >out 2>&1
        # What is run is a function that prints its words.
        show() { printf '%s\\0' "$@"; }
        for tool in dd thin_check thin_roots; do eval "$tool() { show \\"\\$@\\"; }"; done
        grep -aE '^  (dd if=|thin_(check|roots) .*\\./)' out | sed 's/    (.*)$//' >commands
        [ -s commands ] || { cat out; exit 1; }
        LC_ALL=C  # names are bytes
        while IFS= read -r line; do
          eval "$line" >words
          found=
          while IFS= read -r -d '' word; do
            case $word in "./$1"|"if=./$1") found=1;; esac
          done <words
          [ "$found" ] || { echo "$line"; exit 1; }
        done <commands
        [ ! -e broken ]
        """, try Images.path(image), damage)
      #expect(result.status == 0, "\(result.text)")
    }
  }
}
