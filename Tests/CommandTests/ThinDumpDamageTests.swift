import Foundation
import TestSupport
import Testing

/// thin_dump of damaged metadata, with and without --repair.
@Suite struct ThinDumpDamageTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test(arguments: ["leaf-bit", "superblock-bit", "keys-swapped"])
  func `without repair a dump of damage has no end`(how: String) throws {
    let image = try scratch.broken("snapshots", how)
    let before = try Images.bytes(image)
    let result = try Program.dump(image)
    #expect(result.status == 1)
    #expect(!result.text.contains("</superblock>"))
    #expect(result.errorText.hasPrefix("error: "))
    #expect(
      result.errorText.hasSuffix(
        """
        thin_dump: the metadata is damaged, so the dump is not complete; 'thin_check' tells more, \
        'thin_dump --repair' writes what can be reached

        """))
    #expect(try Images.bytes(image) == before)
  }

  @Test func `half a dump never gets the name of a whole one`() throws {
    // The damage is far behind, so that text is written before it is met.
    let image = try scratch.copy("many-devices")
    try zero(block: try #require(Metadata.deviceRoots(of: image).last), of: image)
    let output = scratch.folder.path + "/out.xml"
    let result = try Program.dump("-o", output, image)
    #expect(result.status == 1)
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test(arguments: ["data-count-low", "data-count-high", "metadata-count-low", "mapped-count"])
  func `counts that are wrong don't hinder a dump`(how: String) throws {
    let image = try scratch.broken("snapshots", how)
    let result = try Program.dump(image)
    #expect(result.status == 0)
    #expect(
      PoolText(result.output).mappings
        == PoolText(try Program.dump(Images.path("snapshots")).output).mappings)
  }

  @Test(arguments: Images.names)
  func `repair of what is sound changes nothing`(name: String) throws {
    let image = try Images.path(name)
    let plain = PoolText(try Program.dump(image).output)
    for option in ["-r", "--repair"] {
      let result = try Program.dump(option, image)
      #expect(result.status == 0)
      #expect(PoolText(result.output) == plain)
    }
  }

  @Test(arguments: ["leaf-bit", "superblock-bit"])
  func `a flipped bit is turned back`(how: String) throws {
    let image = try scratch.broken("snapshots", how)
    let result = try Program.dump("--repair", image)
    #expect(result.status == 0)
    #expect(
      PoolText(result.output) == PoolText(try Program.dump(Images.path("snapshots")).output))
  }

  @Test func `repair goes round a lost leaf and says whose it was`() throws {
    let image = try scratch.withoutFirstLeaf("thins")
    let before = try Images.bytes(image)
    let result = try Program.dump("--repair", image)
    #expect(result.status == 0)
    #expect(result.text.hasSuffix("</superblock>"))
    #expect(result.errorText.contains("Device 0: kept "))
    let whole = PoolText(try Program.dump(Images.path("thins")).output)
    let kept = PoolText(result.output)
    #expect(kept.mappingCount < whole.mappingCount)
    for (id, device) in whole.devices {
      let found = Set(kept.devices[id]?.mappings ?? [])
      #expect(found.isSubset(of: device.mappings), "device \(id)")
      #expect(id == 0 || found.count == device.mappings.count, "device \(id)")
    }
    #expect(try Images.bytes(image) == before)
    let quiet = try Program.dump("-q", "--repair", image)
    #expect(quiet.output == result.output)
    #expect(quiet.errors.isEmpty)
  }

  @Test func `numbers given to a repair are minima, but the block size is taken`() throws {
    let image = try Images.path("snapshots")
    let high = PoolText(
      try Program.dump(
        "--repair", "--transaction-id", "1000", "--nr-data-blocks", "70000", image
      ).output)
    #expect(high.pool["transaction"] == "1000")
    #expect(high.pool["nr_data_blocks"] == "70000")
    let low = PoolText(
      try Program.dump("--repair", "--transaction-id", "1", "--nr-data-blocks", "7", image).output)
    #expect(low.pool["transaction"] == "42")
    #expect(low.pool["nr_data_blocks"] == "65536")
    let size = PoolText(try Program.dump("--repair", "--data-block-size=256", image).output)
    #expect(size.pool["data_block_size"] == "256")
  }

  @Test func `a lost superblock calls for the block size`() throws {
    let image = try scratch.copy("thins")
    try zero(block: 0, of: image)
    let refused = try Program.dump("--repair", image)
    #expect(refused.status == 1)
    #expect(refused.output.isEmpty)
    #expect(refused.errorText.contains("--data-block-size"))
    let result = try Program.dump("--repair", "--data-block-size", "128", image)
    #expect(result.status == 0)
    #expect(
      PoolText(result.output).mappings
        == PoolText(try Program.dump(Images.path("thins")).output).mappings)
  }

  @Test func `a metadata snapshot is not repaired`() throws {
    let result = try Program.dump("-m", "-r", Images.path("metadata-snapshot"))
    #expect(result.status == 64)
    #expect(result.output.isEmpty)
    #expect(result.errorText.hasPrefix("Error: --repair can't be used with --metadata-snap\n"))
  }
}
