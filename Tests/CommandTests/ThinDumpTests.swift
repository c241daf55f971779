import Foundation
import TestSupport
import Testing

/// thin_dump of sound metadata.
@Suite struct ThinDumpTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func `XML is the default and ends without a line end`() throws {
    let image = try Images.path("reuse-same-leaf")
    let result = try Program.dump(image)
    #expect(result.status == 0)
    #expect(
      result.text == """
        <superblock uuid="" time="0" transaction="0" version="2" data_block_size="128" \
        nr_data_blocks="16384">
          <device dev_id="0" mapped_blocks="160" transaction="0" creation_time="0" snap_time="0">
            <range_mapping origin_begin="80" data_begin="80" length="120" time="0"/>
            <range_mapping origin_begin="200" data_begin="0" length="40" time="0"/>
          </device>
        </superblock>
        """)
    #expect(result.errorText.isEmpty)
    for options in [["-f", "xml"], ["--format=xml"], ["-q"]] {
      #expect(try Program.run("thin_dump", options + [image]).output == result.output)
    }
  }

  @Test func `the form of 0.9 has flags and a line end`() throws {
    let result = try Program.dump("--compat", "0.9", Images.path("reuse-same-leaf"))
    #expect(result.status == 0)
    #expect(
      result.text == """
        <superblock uuid="" time="0" transaction="0" flags="0" version="2" data_block_size="128" \
        nr_data_blocks="16384">
          <device dev_id="0" mapped_blocks="160" transaction="0" creation_time="0" snap_time="0">
            <range_mapping origin_begin="80" data_begin="80" length="120" time="0"/>
            <range_mapping origin_begin="200" data_begin="0" length="40" time="0"/>
          </device>
        </superblock>

        """)
  }

  @Test func `people get words instead of tags`() throws {
    let image = try Images.path("reuse-same-leaf")
    for options in [["-f", "human_readable"], ["--format=human_readable"]] {
      let result = try Program.run("thin_dump", options + [image])
      #expect(result.status == 0)
      #expect(
        result.text == """
          begin superblock: "", 0, 0, 0, 2, 128, 16384
          device: 0
          mapped_blocks: 160
          transaction: 0
          creation time: 0
          snap time: 0
              (80..199) -> (80..199), 0
              (200..239) -> (0..39), 0

          end superblock

          """)
    }
  }

  @Test(.enabled(if: Peer.old.isThere, Peer.old.absence), arguments: Images.names)
  func `the form of 0.9 is 0.9.0's to the byte`(name: String) throws {
    let image = try Images.path(name)
    let ours = try Program.dump("--compat", "0.9", image)
    #expect(ours.status == 0)
    #expect(ours.output == (try Peer.old.run("thin_dump", image).output))
  }

  @Test(.enabled(if: Peer.new.isThere, Peer.new.absence), arguments: Images.names)
  func `mapping by mapping it is the same as 1.1.0's`(name: String) throws {
    let image = try Images.path(name)
    let theirs = PoolText(try Peer.new.run("thin_dump", image).output)
    let ours = PoolText(try Program.dump(image).output)
    #expect(ours == theirs)
    #expect(ours.pool.count == 6)
  }

  @Test(arguments: Images.names)
  func `shared parts say the same as writing them out`(name: String) throws {
    let image = try Images.path(name)
    let short = PoolText(try Program.dump(image).output)
    let long = PoolText(try Program.dump("--compat", "0.9", image).output)
    #expect(short == long)
    for (id, device) in short.devices {
      #expect(device.attributes["mapped_blocks"] == "\(device.mappings.count)", "device \(id)")
    }
  }

  @Test func `devices that share leaves are dumped with shared parts`() throws {
    let xml = try Program.dump(Images.path("snapshots-of-snapshots")).text
    #expect(xml.contains("<def name="))
    #expect(xml.contains("<ref name="))
  }

  @Test func `an unknown format is a usage error`() throws {
    let image = try Images.path("fresh")
    for options in [
      ["-f", "json"], ["--format", "custom=plugin"], ["--compat", "0.8"],
      ["--compat=0.9", "--format=human_readable"],
    ] {
      let result = try Program.run("thin_dump", options + [image])
      #expect(result.status == 64)
      #expect(result.text.isEmpty)
    }
  }

  @Test func `output goes to a file, which is made or emptied`() throws {
    let image = try Images.path("snapshots")
    let wanted = try Program.dump(image).output
    let old = try scratch.blank("old.xml", bytes: 100_000)
    for path in [old, scratch.folder.path + "/new.xml"] {
      for option in ["-o", "--output"] {
        let result = try Program.dump(option, path, image)
        #expect(result.status == 0)
        #expect(result.output.isEmpty && result.errors.isEmpty)
        #expect(try Images.bytes(path) == wanted)
      }
    }
  }

  @Test func `an output that can't be had is refused`() throws {
    for path in [scratch.folder.path, scratch.folder.path + "/no/where"] {
      let result = try Program.dump("-o", path, Images.path("fresh"))
      #expect(result.status == 73)
      #expect(result.errorText.hasPrefix("thin_dump: output refused: can't open '\(path)': "))
    }
  }

  @Test func `devices can be chosen`() throws {
    let image = try Images.path("snapshots")
    let all = PoolText(try Program.dump(image).output)
    #expect(all.devices.keys.sorted() == [0, 2, 3, 4, 6, 11])
    for ids: [UInt64] in [[0], [3, 11], [2, 2], [99], [4, 99]] {
      let result = try Program.run("thin_dump", ids.flatMap { ["--dev-id", "\($0)"] } + [image])
      #expect(result.status == 0)
      let some = PoolText(result.output)
      #expect(some.pool == all.pool)
      #expect(some.devices == all.devices.filter { ids.contains($0.key) })
      #expect(result.errorText.isEmpty == !ids.contains(99))
    }
  }

  @Test func `a device that isn't there is named, with those that are`() throws {
    let image = try Images.path("snapshots")
    let ids = "it has 0, 2, 3, 4, 6, 11.\n"
    let one = try Program.dump("--dev-id", "99", image)
    #expect(one.errorText == "There is no device 99 in '\(image)'; \(ids)")
    let several = try Program.dump(
      "--dev-id", "99", "--dev-id", "4", "--dev-id", "1", "--dev-id", "99", image)
    #expect(several.errorText == "There are no devices 1, 99 in '\(image)'; \(ids)")
    #expect(try Program.dump("-q", "--dev-id", "99", image).errorText.isEmpty)
    let rescued = try Program.dump("--repair", "--dev-id", "99", image)
    #expect(
      rescued.errorText.hasSuffix("There is no device 99 in what is left of '\(image)'; \(ids)"))

    let fresh = try Images.path("fresh")
    #expect(
      try Program.dump("--dev-id", "0", fresh).errorText
        == "There is no device 0 in '\(fresh)'; it has none.\n")
    let many = try Program.dump("--dev-id", "99999", Images.path("many-devices"))
    #expect(many.errorText.hasSuffix(" and 460 more.\n"))
    let snapshot = try Images.path("metadata-snapshot")
    #expect(
      try Program.dump("-m", "--dev-id", "99", snapshot).errorText
        .hasPrefix("There is no device 99 in the metadata snapshot of '\(snapshot)'; it has "))
    for result in [one, several, rescued, many] { #expect(result.status == 0) }
  }

  /// Whatever is said, programs see what they saw before.
  @Test(.enabled(if: Peer.new.isThere, Peer.new.absence), arguments: ["4", "98"])
  func `a device that isn't there changes nothing for programs`(other: String) throws {
    let image = try Images.path("snapshots")
    let theirs = try Peer.new.run("thin_dump", "--dev-id", "99", "--dev-id", other, image)
    let ours = try Program.dump("--dev-id", "99", "--dev-id", other, image)
    #expect(ours.status == 0 && theirs.status == 0)
    #expect(PoolText(ours.output) == PoolText(theirs.output))
  }

  @Test func `mappings can be left out`() throws {
    let image = try Images.path("snapshots")
    let result = try Program.dump("--skip-mappings", image)
    #expect(result.status == 0)
    #expect(!result.text.contains("mapping"))
    #expect(!result.text.contains("<def"))
    let all = PoolText(try Program.dump(image).output)
    #expect(
      PoolText(result.output).devices.mapValues(\.attributes)
        == all.devices.mapValues(\.attributes))
    #expect(result.text.hasSuffix("</superblock>"))
  }

  @Test func `a metadata snapshot is dumped with the true number of data blocks`() throws {
    let image = try Images.path("metadata-snapshot")
    let live = try Program.dump(image)
    let result = try Program.dump("-m", image)
    #expect(result.status == 0)
    let (now, then) = (PoolText(live.output), PoolText(result.output))
    #expect(then.pool["nr_data_blocks"] == "65536")
    #expect(then.pool["transaction"] == "7")
    #expect(now.pool["transaction"] == "8")
    #expect(then.devices != now.devices)
    for option in ["--metadata-snap", "-m39", "-m=39", "--metadata-snap=39"] {
      #expect(try Program.dump(option, image).output == result.output, "\(option)")
    }

    let output = try scratch.blank("output", bytes: 4 << 20)
    let xml = try scratch.file("snapshot.xml", result.output)
    #expect(try Program.restore("-i", xml, "-o", output).status == 0)
    #expect(try Program.check(output).status == 0)
    #expect(PoolText(try Program.dump(output).output) == then)
  }

  @Test func `without a metadata snapshot nothing is dumped`() throws {
    let result = try Program.dump("-m", Images.path("thins"))
    #expect(result.status == 66)
    #expect(result.output.isEmpty)
    #expect(result.errorText.contains("has no metadata snapshot"))
  }

  @Test func `a reader that has seen enough is no failure`() throws {
    // Large enough that writing goes on after the pipe is closed.
    let result = try Program.script(
      "$dmmeta thin_dump --compat 0.9 $1 | head -n 1; echo ${PIPESTATUS[0]}",
      Images.path("snapshots-of-snapshots"))
    #expect(result.text.split(separator: "\n").last == "0")
    #expect(result.text.hasPrefix("<superblock "))
    #expect(result.errorText.isEmpty)
  }

  @Test func `a full disk is an I-O error`() throws {
    let result = try Program.script(
      "$dmmeta thin_dump $1 > /dev/full", Images.path("snapshots"))
    #expect(result.status == 74)
    #expect(
      result.errorText
        == "thin_dump: writing to standard output failed: no space left on device\n")
  }
}
