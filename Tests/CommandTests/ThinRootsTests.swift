import Foundation
import TestSupport
import Testing

/// thin_roots as people run it on their worst day.
@Suite struct ThinRootsTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func list(_ arguments: String...) throws -> Shell.Result {
    try Program.run("thin_roots", arguments)
  }

  private func recovered(
    _ device: Int, from root: Int, of image: String, _ options: String...
  ) throws -> (Shell.Result, String) {
    let output = try scratch.blank("output", bytes: 8 << 20)
    let result = try Program.run(
      "thin_roots",
      ["-i", image, "--recover", "\(device)", "--from", "\(root)", "-o", output] + options)
    return (result, output)
  }

  private func pool(_ image: String) throws -> PoolText {
    let result = try Program.dump(image)
    #expect(result.status == 0, "\(result.errorText)")
    return PoolText(result.output)
  }

  private func expectSound(_ image: String) throws {
    let check = try Program.check(image)
    #expect(check.status == 0)
    #expect(check.complaints == [])
    #expect(try Peer.complaining(about: image) == [])
  }

  // MARK: The list

  @Test func `a deleted device is shown, and how to take it back`() throws {
    let image = try Images.path("just-deleted")
    for arguments in [[image], ["-i", image], ["--input", image], ["-i\(image)"]] {
      let result = try Program.run("thin_roots", arguments)
      #expect(result.status == 0)
      #expect(
        result.text == """
          root 78: live; transaction 3, time 2; 3 devices, 905 mappings; whole
          root 62: superseded; not before transaction 2, time 2; 4 devices, 1355 mappings; whole
            device 2 (450 mappings) is not in the live state

          """)
      #expect(result.errorText.hasPrefix("7 other states have nothing more to recover;"))
      #expect(
        result.errorText.hasSuffix("  thin_roots -i \(image) --recover 2 --from 62 -o NEW\n"))
    }
  }

  @Test func `all states are shown where that is asked for`() throws {
    let image = try Images.path("just-deleted")
    let result = try list("--all", image)
    #expect(result.status == 0)
    let roots = result.text.split(separator: "\n").compactMap { line in
      line.firstMatch(of: #/^root (\d+): /#).flatMap { Int($0.output.1) }
    }
    #expect(roots == [78, 62, 57, 49, 44, 36, 31, 21, 16])
    #expect(
      result.text.contains("\n  device 0 (400 mappings) has 400 mappings now\n"))
    #expect(!result.errorText.contains("--all"))
  }

  @Test func `the metadata snapshot is a state, too`() throws {
    let result = try list(Images.path("metadata-snapshot"))
    #expect(result.status == 0)
    #expect(
      result.text.contains(
        """
        root 33: metadata snapshot; transaction 7, time 0; 2 devices, 380 mappings; whole
          device 1 (80 mappings) is not in the live state

        """))
  }

  @Test(arguments: Images.names)
  func `a pool's live state comes first, and the input stays as it is`(name: String) throws {
    let image = try scratch.copy(name)
    let before = try Images.bytes(image)
    for option in ["--all", "-v"] {
      let result = try list(image, option)
      #expect(result.status == 0)
      let root = try Metadata.roots(of: image).mapping
      #expect(result.text.hasPrefix("root \(root): live; "))
    }
    #expect(try Images.bytes(image) == before)
  }

  @Test func `what is said never depends on timing`() throws {
    let lists = try (0..<3).map { _ in try list("--all", Images.path("power-cut")).text }
    #expect(Set(lists).count == 1)
    // Several devices of today have blocks of the old one.
    let found = try #require(lists[0].firstMatch(of: /root (\d+): superseded/)?.output.1)
    let root = try #require(Int(found))
    let reports = try (0..<3).map { _ in
      try recovered(0, from: root, of: Images.path("power-cut")).0
    }
    #expect(reports.allSatisfy { $0.status == 0 })
    #expect(Set(reports.map(\.text)).count == 1 && Set(reports.map(\.errorText)).count == 1)
  }

  @Test func `what is gone of an old state is told`() throws {
    let image = try scratch.copy("just-deleted")
    try zero(block: 72, of: image)
    let result = try list(image)
    #expect(result.text.contains("; missing: 1 block not readable\n"))
    #expect(
      result.text.contains(
        "\n  device 2 (225 of 450 mappings; missing: 1 block not readable) is not in the live"))
    // The newest state that has the device whole comes after it.
    #expect(result.text.contains("\n  device 2 (425 mappings) is not in the live state\n"))
  }

  @Test func `a live state that is damaged is pointed out`() throws {
    let image = try scratch.copy("just-deleted")
    try zero(block: 38, of: image)
    let result = try list(image)
    #expect(result.status == 0)
    #expect(
      result.text.hasPrefix("root 78: live; transaction 3, time 2; 3 devices, 825 mappings; "))
    #expect(result.errorText.contains("The live state is damaged: thin_check tells"))
  }

  @Test func `without a superblock there is no live state`() throws {
    let image = try scratch.copy("just-deleted")
    try zero(block: 0, of: image)
    let result = try list(image)
    #expect(result.status == 0)
    #expect(!result.text.contains("live"))
    #expect(result.text.contains("root 78: superseded; "))
    #expect(result.errorText.contains("The superblock is lost"))
  }

  // MARK: Taking a device back

  @Test func `a deleted device comes back mapping by mapping`() throws {
    let image = try scratch.copy("just-deleted")
    let before = try Images.bytes(image)
    let (result, output) = try recovered(2, from: 62, of: image)
    #expect(result.status == 0)
    #expect(result.text.isEmpty)
    let lines = result.errorText.split(separator: "\n")
    #expect(lines.first == "Kept 905 mappings; 3 of 3 devices are whole.")
    #expect(
      lines.dropFirst().first
        == "Device 2 of root 62 is device 16777215 in the output: 450 of 450 mappings are back.")
    #expect(
      result.errorText.contains(
        "--table '0 145920 thin /dev/mapper/VG-POOL-tpool 16777215'\n"))
    try expectSound(output)
    #expect(try Images.bytes(image) == before)

    // The kernel's own root of the old state says what the device had.
    let old = try scratch.copy("just-deleted")
    let roots = try Metadata.mappings(below: 68, of: old)
    let (whole, found) = (try pool(image), try pool(output))
    #expect(found.devices[16_777_215]?.mappings == roots)
    #expect(roots.count == 450)
    for (id, device) in whole.devices { #expect(found.devices[id] == device) }
    #expect(found.devices.count == whole.devices.count + 1)
    #expect(found.pool == whole.pool)
  }

  @Test func `an id can be asked for, and must be free`() throws {
    let image = try Images.path("just-deleted")
    let (result, output) = try recovered(2, from: 62, of: image, "--as", "2")
    #expect(result.status == 0)
    #expect(try pool(output).devices.keys.sorted() == [0, 1, 2, 3])
    let refusals = [
      ("3", "there is a device 3 in the live state"), ("16777216", "the highest id is 16777215"),
    ]
    for (id, reason) in refusals {
      let (refused, untouched) = try recovered(2, from: 62, of: image, "--as", id)
      #expect(refused.status == 64)
      #expect(refused.errorText.contains(reason))
      #expect(try Images.bytes(untouched) == Data(count: 8 << 20))
    }
  }

  @Test func `blocks given to others are named and not brought back`() throws {
    let image = try Images.path("reuse-same-leaf")
    let (result, output) = try recovered(0, from: 20, of: image)
    #expect(result.status == 0)
    #expect(
      result.text
        == "left out: virtual blocks 0..39, data blocks 0..39: given to device 0 since\n")
    #expect(result.errorText.contains("160 of 200 mappings are back."))
    #expect(result.errorText.contains("\n  Not back: 40."))
    try expectSound(output)
    #expect(try pool(output).devices[16_777_215]?.mappings.count == 160)
    let (quiet, _) = try recovered(0, from: 20, of: image, "-q")
    #expect(quiet.status == 0 && quiet.output.isEmpty && quiet.errors.isEmpty)
  }

  @Test func `what is lost of the old tree is named`() throws {
    let image = try scratch.copy("just-deleted")
    try zero(block: 72, of: image)
    let (result, output) = try recovered(2, from: 62, of: image)
    #expect(result.status == 0)
    #expect(
      result.text
        == "lost: virtual blocks 0..239: the block that had their mappings was given out again or "
        + "is damaged\n")
    #expect(result.errorText.contains("225 of 450 mappings are back."))
    try expectSound(output)
  }

  @Test func `a root or device that isn't there is refused, and the way to it shown`() throws {
    let image = try Images.path("just-deleted")
    let cases = [
      (2, 68, "it is the mapping tree of device 2 in root 62: --from 62"),
      (2, 1, "; --all lists them"), (2, 100_000, "lists them"),
      (7, 62, "root 62 has no device 7; it has 0, 1, 2, 3"),
      (2, 78, "root 78 has no device 2; it has 0, 1, 3"),
    ]
    for (device, root, reason) in cases {
      let (result, untouched) = try recovered(device, from: root, of: image)
      #expect(result.status == 66)
      #expect(result.errorText.contains(reason), "\(result.errorText)")
      #expect(try Images.bytes(untouched) == Data(count: 8 << 20))
    }
  }

  @Test func `the input is refused as output`() throws {
    let image = try scratch.copy("just-deleted")
    let before = try Images.bytes(image)
    let link = scratch.folder.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: image)
    for output in [image, link] {
      let result = try list(image, "--recover", "2", "--from", "62", "-o", output)
      #expect(result.status == 73)
      #expect(result.errorText.contains("input and output are the same"))
    }
    #expect(try Images.bytes(image) == before)
  }

  @Test func `an output that can't be used is refused`() throws {
    let image = try Images.path("just-deleted")
    let small = try scratch.blank("small", bytes: 40 << 10)
    for output in [small, scratch.folder.path + "/nothing", scratch.folder.path] {
      let result = try list(image, "--recover", "2", "--from", "62", "-o", output)
      #expect(result.status == 73, "\(output)")
    }
    try expectNoPool(small)
  }

  @Test func `a lost superblock calls for the block size`() throws {
    let image = try scratch.copy("just-deleted")
    try zero(block: 0, of: image)
    let (refused, untouched) = try recovered(2, from: 62, of: image)
    #expect(refused.status == 1)
    #expect(refused.errorText.contains("--data-block-size"))
    #expect(try Images.bytes(untouched) == Data(count: 8 << 20))
    let (result, output) = try recovered(2, from: 62, of: image, "--data-block-size", "128")
    #expect(result.status == 0)
    #expect(result.errorText.contains("450 of 450 mappings are back."))
    try expectSound(output)
  }

  @Test(arguments: [
    [], ["--recover", "2"], ["--recover", "2", "--from", "62"], ["--recover", "2", "-o", "x"],
    ["--from", "62"], ["-o", "x"], ["--as", "5"],
    ["--all", "--recover", "2", "--from", "62", "-o", "x"], ["-i", "x", "y"],
    ["--recover", "two", "--from", "62", "-o", "x"],
    ["--recover", "2", "--from", "4294967296", "-o", "x"],
  ])
  func `options that make no sense together are a usage error`(options: [String]) throws {
    let input = options.contains("-i") || options.isEmpty ? [] : [try Images.path("fresh")]
    let result = try Program.run("thin_roots", input + options)
    #expect(result.status == 64)
    #expect(result.text.isEmpty)
  }
}
