import Foundation
import TestSupport
import Testing

/// thin_ls: the list of devices, and what deleting some would free.
@Suite struct ThinLsTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func list(_ arguments: String...) throws -> Shell.Result {
    try Program.run("thin_ls", arguments)
  }

  @Test(arguments: Images.names)
  func `counts are those of a plain model`(name: String) throws {
    let image = try Images.path(name)
    for pool in try DevicePools.all(image) {
      let result = try Program.run("thin_ls", pool.options + ["--format", "json", image])
      #expect(result.status == 0, "\(result.errorText)")
      let schema = try SchemaValidator(schemaFile: TestFiles.schema("thin_ls"))
      #expect(schema.faults(in: result.output) == [])
      let document = try JSONValue(parsing: result.output)
      let devices = document["devices"]?.elements ?? []
      #expect(devices.compactMap { $0["device"]?.integer } == pool.ids.map { Int($0) })
      let users = pool.users
      for (id, device) in zip(pool.ids, devices) {
        let mappings = pool.mappings[id, default: []]
        let exclusive = mappings.count { users[$0.data]?.count == 1 }
        #expect(device["mapped_blocks"]?.integer == mappings.count)
        #expect(device["exclusive_blocks"]?.integer == exclusive, "device \(id)")
        #expect(device["shared_blocks"]?.integer == mappings.count - exclusive)
        #expect(device["highest_block"]?.integer == mappings.last.map { Int($0.virtual) })
      }
    }
  }

  @Test(arguments: Images.names)
  func `what a set of devices would free is what nobody else maps`(name: String) throws {
    let image = try Images.path(name)
    var random = SeededRandom()
    let pools = try DevicePools.all(image)
    for pool in pools where !pool.ids.isEmpty {
      let held = pool.options.isEmpty ? pools.dropFirst().first : nil
      for round in 0..<4 {
        let few = pool.ids.filter { _ in random.once(in: 3) }
        let ids = round == 0 || few.isEmpty ? pool.ids : few
        let (now, later) = pool.freed(ids, held: held)
        let list = ids.map(String.init).joined(separator: ",")
        let place: Comment = "\(list), seed \(random.seed)"
        let text = try Program.run("thin_ls", pool.options + ["--free-if-deleted", list, image])
        #expect(text.status == 0)
        #expect(text.text.hasPrefix("\(now) blocks ("), place)
        #expect(text.errorText.contains("holds \(later - now) more") == (later > now), place)
        let json = try Program.run(
          "thin_ls", pool.options + ["--free-if-deleted=\(list)", "--format=json", image])
        let freed = try JSONValue(parsing: json.output)["free_if_deleted"]
        #expect(freed?["blocks"]?.integer == now, place)
        #expect(freed?["blocks_held_by_metadata_snapshot"]?.integer == later - now, place)
        let schema = try SchemaValidator(schemaFile: TestFiles.schema("thin_ls"))
        #expect(schema.faults(in: json.output) == [])
      }
    }
  }

  @Test(.enabled(if: Peer.old.isThere, Peer.old.absence), arguments: Images.names)
  func `the table is that of the old tool`(name: String) throws {
    let image = try Images.path(name)
    let fields = [
      "DEV,MAPPED_BLOCKS,EXCLUSIVE_BLOCKS,SHARED_BLOCKS,TRANSACTION,CREATE_TIME,SNAP_TIME",
      "MAPPED_SECTORS,DEV,EXCLUSIVE_SECTORS,SHARED_BYTES,MAPPED_BYTES",
    ]
    for list in fields {
      let theirs = try Peer.old.run("thin_ls", "--format", list, image)
      #expect(theirs.status == 0)
      for option in ["-o", "--format"] {
        #expect(try self.list(option, list, image).text == theirs.text)
      }
      let plain = try Peer.old.run("thin_ls", "--no-headers", "-o", list, image)
      #expect(try self.list("--no-headers", "-o\(list)", image).text == plain.text)
    }
  }

  @Test func `without fields the usual ones are listed`() throws {
    let result = try list(try Images.path("thins"))
    let lines = result.text.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(lines.first == ["DEV", "MAPPED", "CREATE_TIME", "SNAP_TIME"])
    #expect(lines.count == 5)
    #expect(result.errorText.isEmpty)
  }

  @Test func `an empty device has no highest block`() throws {
    let xml = """
      <superblock uuid="" time="0" transaction="0" version="2" data_block_size="128" \
      nr_data_blocks="100">
        <device dev_id="1" mapped_blocks="0" transaction="0" creation_time="0" snap_time="0">
        </device>
        <device dev_id="2" mapped_blocks="1" transaction="0" creation_time="0" snap_time="0">
          <single_mapping origin_block="0" data_block="0" time="0"/>
        </device>
      </superblock>
      """
    let image = try scratch.blank("image", bytes: 1 << 20)
    let restore = try Program.restore(
      "-q", "-i", try scratch.file("xml", Data(xml.utf8)), "-o", image)
    #expect(restore.status == 0)
    let fields = "DEV,HIGHEST_BLOCK,HIGHEST_SECTOR,HIGHEST_BYTE,HIGHEST_MAPPED,EXCLUSIVE"
    let lines = try list("--no-headers", "-o", fields, image).text.split(separator: "\n")
    let words = lines.map { $0.split(separator: " ") }
    #expect(
      words == [["1", "-", "-", "-", "-", "0b"], ["2", "0", "127", "65535", "64KiB", "64KiB"]])
  }

  @Test func `damage stops the counts, and nothing else`() throws {
    let image = try scratch.withoutFirstLeaf("snapshots")
    let sound = try Images.path("snapshots")
    #expect(try list("-o", "DEV,MAPPED", image).text == list("-o", "DEV,MAPPED", sound).text)
    #expect(try list(image).status == 0)
    let counted = try list("-o", "DEV,EXCLUSIVE_BLOCKS,TRANSACTION", image)
    #expect(counted.status == 1)
    let cells = counted.text.split(separator: "\n").dropFirst().map { $0.split(separator: " ")[1] }
    #expect(!cells.isEmpty && cells.allSatisfy { $0 == "-" })
    #expect(counted.errorText.contains("blocks can't be counted of devices"))
    let freed = try list("--free-if-deleted", "0", image)
    #expect(freed.status == 1)
    #expect(freed.text.isEmpty)
  }

  @Test func `what makes no sense is refused`() throws {
    let image = try Images.path("snapshots")
    let refused: [([String], Int32, String)] = [
      (["-o", "DEV,FOO"], 64, "there is no field 'FOO'"), (["-o", "dev"], 64, "'dev'"),
      (["-o", "DEV", "--format", "DEV"], 64, "given twice"), (["-o", ""], 64, "no field ''"),
      (["-o", "NAME"], 64, "needs --names"), (["--pool", "x"], 64, "needs --names"),
      (["--free-if-deleted", "x"], 64, "'x' is not a device's id"),
      (["--free-if-deleted", "77"], 66, "there is no device 77"),
      (["--free-if-deleted", "0", "--no-headers"], 64, "lists nothing"), (["-m"], 66, "snapshot"),
    ]
    for (options, status, text) in refused {
      let result = try Program.run("thin_ls", options + [image])
      #expect(result.status == status, "\(options)")
      #expect(result.text.isEmpty)
      #expect(result.errorText.contains(text), "\(result.errorText)")
    }
  }
}
