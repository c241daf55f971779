import Foundation
import TestSupport
import Testing

/// What becomes of a file that an output is written to, and of what is there already.
@Suite struct OutputFileTests {
  private let scratch: Scratch
  private let old = Data("last week\n".utf8)

  init() throws { scratch = try Scratch() }

  private var names: Set<String> {
    get throws { Set(try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path)) }
  }

  private func path(_ name: String) -> String { scratch.folder.appendingPathComponent(name).path }

  /// Command lines that make a file anew, which comes last; `image` is damaged or not.
  private func makers(_ image: String) -> [[String]] {
    [
      ["thin_dump", "--repair", image, "-o"],
      ["thin_repair", "--dry-run", "-i", image, "--report"],
      ["thin_generate_metadata", "--force", "-o"],
      ["cache_generate_metadata", "--force", "-o"],
      ["era_generate_metadata", "--force", "-o"],
    ]
  }

  @Test func `a dump that fails leaves the old file, or none`() throws {
    let image = try scratch.withoutFirstLeaf("snapshots")
    let file = try scratch.file("x.xml", old)
    let before = try names
    for name in ["x.xml", "new.xml"] {
      #expect(try Program.dump(image, "-o", path(name)).status == 1)
    }
    #expect(try names == before)
    #expect(try Images.bytes(file) == old)
    #expect(try Program.dump("--repair", image, "-o", file).status == 0)
    #expect(try Images.bytes(file).starts(with: Data("<superblock".utf8)))
  }

  @Test func `a full disk leaves the old file, or none`() throws {
    _ = try scratch.file("x", old)
    let before = try names
    for maker in makers(try Images.path("snapshots")) {
      for name in ["x", "new"] {
        let result = try Program.script(
          "ulimit -f 1; exec $dmmeta \"$@\"", maker + [path(name)])
        #expect(result.status == 74, "\(maker)")
        #expect(result.errorText.contains("'\(path(name))'"), "\(result.errorText)")
        #expect(result.errorText.hasPrefix("\(maker[0]): ") || maker[0] == "thin_repair")
        #expect(try names == before, "\(maker)")
        #expect(try Images.bytes(path("x")) == old)
      }
    }
  }

  @Test func `a program that is killed leaves the old file, or none`() throws {
    _ = try scratch.file("x", old)
    for seconds in ["0.02", "0.1", "0.3"] {
      for name in ["x", "new"] {
        let result = try Program.script(
          """
          timeout -s KILL $1 $dmmeta thin_generate_metadata -q --force --devices 40 \\
            --mappings 20000 --run-max 1 -o "$2"
          [ $? = 137 ]
          """, seconds, path(name))
        // Whoever is done by then is not killed.
        if result.status != 0 { return }
      }
    }
    #expect(try names == ["x"])
    #expect(try Images.bytes(path("x")) == old)
  }

  @Test func `an old file system makes no difference`() throws {
    let file = try scratch.file("x", old)
    try FileManager.default.createSymbolicLink(atPath: path("link"), withDestinationPath: "x")
    let before = try names
    let damaged = try scratch.withoutFirstLeaf("snapshots")
    let all = try names
    let result = try Program.script(
      """
      export LD_PRELOAD="$1" NO_NAMELESS_FILES=1
      cd "$2"
      $dmmeta thin_dump "$3" -o new && exit 1
      (ulimit -f 1; exec $dmmeta thin_dump --repair "$3" -o link) && exit 2
      for signal in TERM INT HUP; do
        timeout -s $signal 0.1 $dmmeta thin_generate_metadata -q --force --devices 40 \\
          --mappings 40000 --run-max 1 -o killed
      done
      ls -A1
      exec $dmmeta thin_dump --repair -q "$3" -o link
      """, try FailingReads.library.get(), scratch.folder.path, damaged)
    #expect(result.status == 0, "\(result.errorText)")
    // A machine that is quick enough may make the last.
    let left = Set(result.text.split(separator: "\n").map(String.init)).subtracting(["killed"])
    #expect(left == all)
    #expect(before.isSubset(of: all))
    #expect(try Images.bytes(file).starts(with: Data("<superblock".utf8)))
  }

  @Test func `links stay links, and what they lead to changes`() throws {
    for (index, maker) in makers(try Images.path("snapshots")).enumerated() {
      let file = try scratch.file("real\(index)", old)
      try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
      let manager = FileManager.default
      try manager.createSymbolicLink(atPath: path("link"), withDestinationPath: "real\(index)")
      try manager.createSymbolicLink(atPath: path("far"), withDestinationPath: path("link"))
      #expect(try Program.run(maker[0], maker.dropFirst() + [path("far")]).status == 0)
      #expect(try manager.destinationOfSymbolicLink(atPath: path("link")) == "real\(index)")
      #expect(try manager.destinationOfSymbolicLink(atPath: path("far")) == path("link"))
      #expect(try Images.bytes(file) != old)
      #expect(try manager.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o640)
      for name in ["link", "far"] { try manager.removeItem(atPath: path(name)) }
    }
  }

  @Test func `a link that leads nowhere yet gets its file`() throws {
    try FileManager.default.createSymbolicLink(
      atPath: path("link"), withDestinationPath: "new.xml")
    #expect(try Program.dump(Images.path("fresh"), "-o", path("link")).status == 0)
    #expect(try names == ["link", "new.xml"])
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: path("link")) == "new.xml")
  }

  @Test func `all names of a file have the new content`() throws {
    let file = try scratch.file("one", Data(repeating: 7, count: 1 << 20))
    try FileManager.default.linkItem(atPath: file, toPath: path("two"))
    #expect(try Program.dump(Images.path("snapshots"), "-o", file).status == 0)
    let wanted = try Program.dump(Images.path("snapshots")).output
    #expect(try Images.bytes(file) == wanted)
    #expect(try Images.bytes(path("two")) == wanted)
    #expect(try names == ["one", "two"])
  }

  @Test func `a new file is readable as the user wants new files to be`() throws {
    for (mask, mode) in [("022", 0o644), ("077", 0o600)] {
      for maker in makers(try Images.path("snapshots")) {
        let result = try Program.script(
          "umask \(mask); exec $dmmeta \"$@\"", maker + [path("new")])
        #expect(result.status == 0)
        let found = try FileManager.default.attributesOfItem(atPath: path("new"))
        #expect(found[.posixPermissions] as? Int == mode, "\(maker)")
        try FileManager.default.removeItem(atPath: path("new"))
      }
    }
  }

  @Test func `devices and FIFOs are written straight`() throws {
    let image = try Images.path("snapshots")
    #expect(try Program.dump(image, "-o", "/dev/null").status == 0)
    let full = try Program.dump(image, "-o", "/dev/full")
    #expect(full.status == 74)
    #expect(
      full.errorText
        == "thin_dump: writing to '/dev/full' failed: no space left on device\n")
    let whole = try Program.script(
      """
      mkfifo "$2"; cat "$2" & $dmmeta thin_dump "$1" -o "$2" || exit; wait; [ -p "$2" ]
      """, image, path("fifo"))
    #expect(whole.status == 0)
    #expect(try whole.output == Program.dump(image).output)
  }

  @Test func `the reader of a FIFO who leaves is named`() throws {
    let result = try Program.script(
      """
      $dmmeta thin_generate_metadata -q -o "$1" --mappings 90000 --run-max 1
      mkfifo "$2"; head -c 100 "$2" > "$2.head" & exec $dmmeta thin_dump "$1" -o "$2"
      """, path("pool"), path("fifo"))
    #expect(result.status == 74)
    #expect(
      result.errorText
        == "thin_dump: writing to '\(path("fifo"))' failed: broken pipe\n")
  }

  @Test func `standard output under another name is standard output`() throws {
    let image = try Images.path("snapshots")
    let result = try Program.script(
      """
      { echo first; $dmmeta thin_dump "$1" -o /dev/stdout; echo last; } > "$2"
      """, image, path("out"))
    #expect(result.status == 0)
    let dump = try Program.dump(image).text
    #expect(
      String(decoding: try Images.bytes(path("out")), as: UTF8.self)
        == "first\n" + dump + "last\n")
  }

  @Test(arguments: ToolSample.all)
  func `no output is written over the input, whatever it is called`(sample: ToolSample) throws {
    guard let input = sample.input else { return }
    let help = try Program.run(sample.tool, ["--help"]).text
    try sample.layOut(in: scratch.folder)
    let before = try Images.bytes(path(input))
    try FileManager.default.createSymbolicLink(atPath: path("soft"), withDestinationPath: input)
    try FileManager.default.linkItem(atPath: path(input), toPath: path("hard"))
    for alias in [input, "./\(input)", "soft", "hard", path(input)] {
      var arguments = sample.arguments.map { $0 == sample.output ? alias : $0 }
      if sample.output == nil {
        guard help.contains("--output <") else { return }
        arguments += ["-o", alias]
      }
      let result = try Descriptor.run(sample.tool, arguments, in: scratch.folder)
      #expect([64, 73].contains(result.status), "\(alias): \(result.errorText)")
      #expect(try Images.bytes(path(input)) == before, "\(alias)")
    }
  }

  /// Loop devices can be made by root alone, and not in every container.
  @Test(arguments: ToolSample.all)
  func `a loop device over the input is the input`(sample: ToolSample) throws {
    guard let input = sample.input, sample.output != nil else { return }
    try sample.layOut(in: scratch.folder)
    let before = try Images.bytes(path(input))
    for (source, target) in [("$one", "$two"), ("$one", input), (input, "$one")] {
      let words = sample.arguments.map {
        $0 == sample.output ? target : $0 == input ? source : $0
      }
      let result = try Program.script(
        """
        cd "$1"; shift
        one=$(losetup -f --show "$1" 2> /dev/null) || exit 77
        two=$(losetup -f --show "$1") || { losetup -d "$one"; exit 77; }
        shift
        $dmmeta \(sample.tool) \(words.joined(separator: " "))
        status=$?
        losetup -d "$one"; losetup -d "$two"
        exit $status
        """, scratch.folder.path, input)
      if result.status == 77 { return }
      #expect(result.status == 73, "\(source) \(target): \(result.errorText)")
      #expect(try Images.bytes(path(input)) == before, "\(source) \(target)")
    }
  }
}
