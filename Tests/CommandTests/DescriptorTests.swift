import Foundation
import TestSupport
import Testing

/// What a tool finds behind its standard input, output and error.
enum Descriptor: String {
  /// Something to read from or write to.
  case open
  case closed
  /// A pipe whose reader has left.
  case gone
  /// A device without any room.
  case full

  /// Runs a tool in a folder.
  static func run(
    _ tool: String, _ arguments: [String], in folder: URL, input: Descriptor = .open,
    output: Descriptor = .open, errors: Descriptor = .open
  ) throws -> Shell.Result {
    let script = """
      import os, signal, sys
      os.chdir(sys.argv[1])
      for number, how in enumerate(sys.argv[2].split(",")):
        if how == "closed": os.close(number)
        elif how == "full": os.dup2(os.open("/dev/full", os.O_WRONLY), number)
        elif how == "gone":
          reader, writer = os.pipe()
          os.close(reader)
          os.dup2(writer, number)
      os.closerange(3, 64)
      signal.signal(signal.SIGPIPE, signal.SIG_DFL)
      os.execv(sys.argv[3], sys.argv[3:])
      """
    let how = [input, output, errors].map(\.rawValue).joined(separator: ",")
    let result = try Shell.run(
      "/usr/bin/env", ["python3", "-c", script, folder.path, how, Program.path, tool] + arguments)
    #expect(!result.wasKilled, "\(tool) \(arguments), \(how)")
    #expect(Program.statuses.contains(result.status), "\(tool) \(arguments), \(how)")
    return result
  }
}

/// Nobody who is not there changes what is written, or what the verdict is.
@Suite struct DescriptorTests {
  /// The standard descriptors, each closed or not.
  private static let closings: [[Descriptor]] = (1..<8).map { bits in
    (0..<3).map { bits >> $0 & 1 == 1 ? .closed : .open }
  }

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func folder(_ name: String) throws -> URL {
    let folder = scratch.folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  @Test(arguments: ToolSample.all)
  func `closed descriptors change neither the status nor a byte of any file`(
    sample: ToolSample
  ) throws {
    let folder = try folder("open")
    try sample.layOut(in: folder)
    let open = try Descriptor.run(sample.tool, sample.arguments, in: folder)
    let wanted = try ToolSample.files(in: folder)
    #expect(open.status == 0, "\(open.errorText)")
    for (index, how) in Self.closings.enumerated() {
      let folder = try self.folder("\(index)")
      try sample.layOut(in: folder)
      let result = try Descriptor.run(
        sample.tool, sample.arguments, in: folder, input: how[0], output: how[1], errors: how[2])
      #expect(result.status == open.status, "\(how)")
      #expect(try ToolSample.files(in: folder) == wanted, "\(how)")
    }
  }

  @Test func `mending with closed descriptors writes no message into the metadata`() throws {
    let image = try Images.bytes(scratch.broken("snapshots", "data-count-high"))
    for (index, how) in ([[.open, .open, .open]] + Self.closings).enumerated() {
      let folder = try folder("\(index)")
      try image.write(to: folder.appendingPathComponent("image"))
      let result = try Descriptor.run(
        "thin_check", ["--auto-repair", "--undo-file", "undo", "image"], in: folder,
        input: how[0], output: how[1], errors: how[2])
      #expect(result.status == 0, "\(how): \(result.errorText)")
      #expect(try Program.check(folder.path + "/image").status == 0, "\(how)")
      let undone = try Program.check("--undo", folder.path + "/undo", folder.path + "/image")
      #expect(undone.status == 0, "\(how)")
      #expect(try Images.bytes(folder.path + "/image") == image, "\(how)")
    }
  }

  @Test(arguments: ToolSample.all)
  func `readers that leave change no verdict`(sample: ToolSample) throws {
    let folder = try folder("open")
    try sample.layOut(in: folder)
    let open = try Descriptor.run(sample.tool, sample.arguments, in: folder)
    let wanted = try ToolSample.files(in: folder)
    for how in [Descriptor.gone, .full] {
      for errors in [Descriptor.open, how] {
        try sample.layOut(in: folder)
        let result = try Descriptor.run(
          sample.tool, sample.arguments, in: folder, output: how, errors: errors)
        // What could not be written may be said to have failed; a reader may leave.
        let allowed = how == .full && !open.output.isEmpty ? [74] : [open.status]
        #expect(allowed.contains(result.status), "\(how), \(errors)")
        if how == .gone { #expect(!result.errorText.contains("pipe")) }
        // Those that print what they were run for say nothing to whoever has had enough of it.
        if how == .gone, errors == .open, open.errorText.isEmpty, !open.output.isEmpty,
          !["thin_check", "cache_check", "era_check"].contains(sample.tool)
        {
          #expect(result.errorText.isEmpty)
        }
        if how == .full, errors == .open, result.status == 74 {
          #expect(result.errorText.hasPrefix("\(sample.tool): writing to standard output failed"))
        }
        if result.status == 0 { #expect(try ToolSample.files(in: folder) == wanted, "\(how)") }
      }
    }
  }

  @Test func `findings go to standard error when standard output fails`() throws {
    let image = try scratch.withoutFirstLeaf("snapshots")
    let leaf = try #require(try Program.check(image).errorText.firstMatch(of: /block (\d+)/)?.1)
    for format in ["text", "json"] {
      for how in [Descriptor.gone, .full] {
        let result = try Descriptor.run(
          "thin_check", ["--format", format, image], in: scratch.folder, output: how)
        #expect(result.status == 1, "\(format), \(how)")
        #expect(result.errorText.contains(try Regex("error: .*block \(leaf)\\b")))
        #expect(result.errorText.contains("thin_repair"), "\(format), \(how)")
      }
    }
  }

  @Test func `a failed repair fails even if nobody reads its report`() throws {
    let image = try scratch.blank("nothing", bytes: 4 << 20)
    let output = try scratch.blank("output", bytes: 4 << 20)
    let wanted = try Program.repair("-i", image, "-o", output)
    #expect(wanted.status == 65)
    // A FIFO that nobody reads any more once it is open.
    let result = try Program.script(
      """
      mkfifo "$2"; (exec 9<"$2"; sleep 0.05) &
      exec $dmmeta thin_repair -i "$1" -o "$3" --report "$2"
      """, image, scratch.folder.path + "/fifo", output)
    #expect(result.status == wanted.status, "\(result.errorText)")
    for how in [Descriptor.gone, .full] {
      let result = try Descriptor.run(
        "thin_repair", ["-i", image, "-o", output, "--report", "/dev/stdout"],
        in: scratch.folder, output: how, errors: how)
      #expect(result.status == wanted.status, "\(how)")
    }
  }

  @Test func `a whole repair without its report is an I-O error that says so`() throws {
    let output = try scratch.blank("output", bytes: 4 << 20)
    let result = try Program.repair(
      "-i", try Images.path("snapshots"), "-o", output, "--report", "/dev/full")
    #expect(result.status == 74)
    #expect(
      result.errorText.hasSuffix(
        "thin_repair: there is no report: writing to '/dev/full' failed: no space left on device; "
          + "the new metadata in '\(output)' is whole\n"))
    #expect(try Program.check(output).status == 0)
  }

  @Test func `a report that can't be made is refused before anything is done`() throws {
    let image = try scratch.withoutFirstLeaf("snapshots")
    let output = try scratch.blank("output", bytes: 4 << 20)
    for name in ["", "no/such/file", scratch.folder.path] {
      for more in [["-o", output], ["--dry-run"]] {
        let result = try Program.run("thin_repair", ["-i", image, "--report", name] + more)
        #expect(result.status == 73, "\(name)")
        #expect(result.errorText.hasPrefix("thin_repair: output refused: can't open '\(name)'"))
        #expect(try Images.bytes(output) == Data(count: 4 << 20))
      }
    }
  }
}
