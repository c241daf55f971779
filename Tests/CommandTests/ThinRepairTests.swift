import Foundation
import TestSupport
import Testing

/// thin_repair as people and LVM run it.
@Suite struct ThinRepairTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func repaired(_ image: String, size: Int = 4 << 20, _ options: String...) throws
    -> (Shell.Result, String)
  {
    let output = try scratch.blank("output", bytes: size)
    return (try Program.run("thin_repair", ["-i", image, "-o", output] + options), output)
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

  @Test(arguments: Images.names)
  func `a pool that is whole stays the same`(name: String) throws {
    let image = try scratch.copy(name)
    let before = try Images.bytes(image)
    let (result, output) = try repaired(image, size: Images.outputSize(name))
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.text.isEmpty)
    let devices = try pool(image).devices.count
    #expect(result.errorText.contains("\(devices) of \(devices) devices are whole."))
    #expect(try pool(output) == pool(image))
    try expectSound(output)
    #expect(try Images.bytes(image) == before)
    #expect(!(try Program.dump(output).text.contains("flags=")))
  }

  @Test(arguments: [
    "leaf-bit", "superblock-bit", "data-count-low", "data-count-high", "metadata-count-low",
    "mapped-count",
  ])
  func `small damage costs nothing`(how: String) throws {
    let image = try scratch.broken("snapshots", how)
    let bytes = try Images.bytes(image)
    let (result, output) = try repaired(image)
    #expect(result.status == 0)
    let (now, before) = (try pool(output), try pool(Images.path("snapshots")))
    #expect(now.pool == before.pool)
    #expect(now.devices.keys.sorted() == before.devices.keys.sorted())
    for (id, device) in before.devices {
      var attributes = now.devices[id]?.attributes ?? [:]
      // Details that are wrong once may be wrong in their times too: then all that is shared
      // counts as shared, and the kernel copies before it writes.
      let times = [attributes, device.attributes].map {
        $0["snap_time"].flatMap { UInt64($0) } ?? 0
      }
      if how == "mapped-count", times[0] > times[1] {
        attributes["snap_time"] = device.attributes["snap_time"]
      }
      #expect(attributes == device.attributes, "device \(id)")
      #expect(now.devices[id]?.mappings == device.mappings, "device \(id)")
    }
    try expectSound(output)
    #expect(try Images.bytes(image) == bytes)
  }

  @Test func `a lost leaf costs its own mappings at most`() throws {
    let image = try scratch.withoutFirstLeaf("thins")
    let before = try Images.bytes(image)
    let (result, output) = try repaired(image)
    #expect(result.status == 0)
    let (whole, kept) = (try pool(Images.path("thins")), try pool(output))
    let count = kept.devices[0]?.mappings.count ?? 0
    let countBefore = whole.devices[0]?.mappings.count ?? 0
    #expect(result.errorText.contains("Device 0: kept \(count) of \(countBefore) mappings; lost"))
    #expect(result.errorText.contains("Keep the damaged metadata"))
    #expect(count < countBefore)
    for (id, mappings) in whole.mappings {
      let found = kept.mappings[id] ?? []
      #expect(Set(found).isSubset(of: mappings), "device \(id)")
      #expect(id == 0 || found == mappings, "device \(id)")
    }
    try expectSound(output)
    #expect(try Images.bytes(image) == before)
    let (quiet, _) = try repaired(image, size: 4 << 20, "-q")
    #expect(quiet.status == 0)
    #expect(quiet.output.isEmpty && quiet.errors.isEmpty)
  }

  @Test func `a lost superblock calls for the block size`() throws {
    let image = try scratch.copy("thins")
    try zero(block: 0, of: image)
    let (refused, untouched) = try repaired(image)
    #expect(refused.status == 1)
    #expect(refused.errorText.contains("give it in sectors with --data-block-size"))
    #expect(try Images.bytes(untouched) == Data(count: 4 << 20))

    let (result, output) = try repaired(
      image, size: 4 << 20, "--data-block-size", "128", "--transaction-id", "9",
      "--nr-data-blocks", "65536")
    #expect(result.status == 0, "\(result.errorText)")
    let (found, wanted) = (try pool(output), try pool(Images.path("thins")))
    #expect(found.mappings == wanted.mappings)
    #expect(found.pool["transaction"] == "9")
    #expect(found.pool["nr_data_blocks"] == "65536")
    #expect(found.pool["data_block_size"] == "128")
    try expectSound(output)
  }

  @Test func `numbers given are the least there is`() throws {
    let image = try Images.path("snapshots")
    let (high, first) = try repaired(
      image, size: 4 << 20, "--transaction-id=1000", "--nr-data-blocks=70000")
    #expect(high.status == 0)
    #expect(try pool(first).pool["transaction"] == "1000")
    #expect(try pool(first).pool["nr_data_blocks"] == "70000")
    let (low, second) = try repaired(
      image, size: 4 << 20, "--transaction-id=1", "--nr-data-blocks=1")
    #expect(low.status == 0)
    #expect(try pool(second).pool["transaction"] == "42")
    #expect(try pool(second).pool["nr_data_blocks"] == "65536")
  }

  @Test(arguments: ["the same name", "a hard link", "a symbolic link", "another way"])
  func `the input is refused as output`(how: String) throws {
    let image = try scratch.broken("snapshots", "leaf-bit")
    let before = try Images.bytes(image)
    let other = scratch.folder.path + "/other"
    switch how {
    case "a hard link": try FileManager.default.linkItem(atPath: image, toPath: other)
    case "a symbolic link":
      try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: image)
    default: break
    }
    let output =
      switch how {
      case "the same name": image
      case "another way": image.replacing("/tmp/", with: "/tmp/../tmp/./", maxReplacements: 1)
      default: other
      }
    let result = try Program.repair("-i", image, "-o", output)
    #expect(result.status == 73)
    #expect(result.errorText.contains("repair never works in place"))
    #expect(try Images.bytes(image) == before)
  }

  @Test func `an output too small is refused, and no pool`() throws {
    let (result, output) = try repaired(Images.path("snapshots"), size: 40 << 10)
    #expect(result.status == 73)
    #expect(result.errorText.contains(/\d+ blocks of 4 KiB are needed, it has 10;/))
    try expectNoPool(output)
  }

  @Test func `an output of another size is used as it is`() throws {
    for size in [1 << 20, 6 << 20] {
      let (result, output) = try repaired(Images.path("snapshots"), size: size)
      #expect(result.status == 0)
      #expect(try Images.bytes(output).count == size)
      #expect(try pool(output) == pool(Images.path("snapshots")))
      try expectSound(output)
    }
  }

  @Test(arguments: [["", "-i"], ["-i"]])
  func `LVM's pair works: repair, then the first line of a dump`(first: [String]) throws {
    let image = try scratch.broken("snapshots", "leaf-bit")
    let output = try scratch.blank("spare", bytes: 8 << 20)
    let repair = try Program.run("thin_repair", first + [image, "-o", output])
    #expect(repair.status == 0, "\(repair.errorText)")
    let dump = try Program.script(
      "$dmmeta thin_dump $1 | head -n 1; echo ${PIPESTATUS[0]}", output)
    let lines = dump.text.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.contains(" transaction=\"42\" ") == true)
    #expect(lines.last == "0")
    #expect(dump.errorText.isEmpty)
  }

  @Test func `an empty argument may stand at the end as well`() throws {
    let output = try scratch.blank("output", bytes: 4 << 20)
    let image = try Images.path("snapshots")
    #expect(try Program.repair("-i", image, "-o", output, "").status == 0)
  }

  /// Nothing that leads to a mapping is in the first 100 of its 1024 blocks.
  @Test func `an empty pool is never written in place of one that had mappings`() throws {
    let cut = try scratch.file("cut", Images.bytes(Images.path("ext4")).prefix(100 * 4096))
    let output = try scratch.file("output", Data(repeating: 1, count: 4 << 20))
    let report = try scratch.file("report")
    let failure =
      "no mapping is left in '\(cut)', so new metadata would be that of an empty pool: nothing was "
      + "written. Keep '\(cut)' as it is, and don't activate the pool\n"
    let summary =
      "The metadata goes on beyond the end of this device or file: 100 of 1024 blocks of 4 KiB are "
      + "there. Get the rest back first if you can: it may hold more.\n"
      + "This is DOUBTFUL: blocks contradict each other, and which of them are wrong can't be "
      + "told. What is contradicted was left out; check the rest before you trust it.\n"
      + "Both lists of devices are lost: there may have been more devices.\n"
    for arguments in [["-o", output], ["--dry-run", "--report", report]] {
      let result = try Program.run("thin_repair", ["-i", cut] + arguments)
      #expect(result.status == 1)
      #expect(result.errorText == summary + "thin_repair: " + failure)
    }
    #expect(try Images.bytes(output) == Data(repeating: 1, count: 4 << 20))
    let document = try RepairRun(["-i", cut, "--dry-run"], report: report).document
    #expect(document["failure"]?.string == String(failure.dropLast()))
    let dump = try Program.run("thin_dump", ["--repair", cut, "-o", output])
    #expect(dump.status == 1)
    #expect(dump.errorText == summary + "thin_dump: " + failure)
    #expect(try Images.bytes(output) == Data(repeating: 1, count: 4 << 20))
  }
}
