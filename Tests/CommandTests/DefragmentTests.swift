import Foundation
import TestSupport
import Testing

/// thin_shrink --defragment against a plain model: volumes read the same and lie in fewer pieces.
@Suite struct DefragmentTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Pieces of each device, counted here.
  private func pieces(_ dump: Data) -> [UInt64: Int] {
    PoolText(dump).mappings.mapValues { mappings in
      zip(mappings, mappings.dropFirst()).reduce(mappings.isEmpty ? 0 : 1) {
        $0 + ($1.0.virtual + 1 == $1.1.virtual && $1.0.data + 1 == $1.1.data ? 0 : 1)
      }
    }
  }

  private func run(_ metadata: String, _ data: String, _ more: [String] = []) throws
    -> Shell.Result
  {
    try Program.run(
      "thin_shrink",
      ["--defragment", "-i", metadata, "-o", metadata, "--data", data] + more)
  }

  /// What the tool says of all devices: before and after.
  private func told(_ text: String) throws -> (before: Int, after: Int) {
    let match = try #require(text.firstMatch(of: /all devices: (\d+) pieces, (\d+) afterwards/))
    return (try #require(Int(match.output.1)), try #require(Int(match.output.2)))
  }

  @Test func `it is done although nobody reads what it says before`() throws {
    var random = SeededRandom()
    let pool = DataPool(&random, blockCount: 80, usedShare: 3)
    let metadata = try pool.metadata(scratch)
    let data = try scratch.file("data", pool.data)
    let old = try pieces(Program.dump(metadata).output).values.reduce(0, +)
    let result = try Descriptor.run(
      "thin_shrink", ["--defragment", "-i", metadata, "-o", metadata, "--data", data],
      in: scratch.folder, output: .gone)
    #expect(result.status == 0 && result.errorText.isEmpty, "seed \(random.seed)")
    let dump = try Program.dump(metadata).output
    #expect(pieces(dump).values.reduce(0, +) < old, "seed \(random.seed)")
    #expect(pool.fault(dump, on: try Images.bytes(data)) == nil, "seed \(random.seed)")
  }

  @Test func `volumes read the same in as many pieces as was said`() throws {
    var random = SeededRandom()
    var gained = 0
    for round in 0..<12 {
      let pool = DataPool(&random, blockCount: random.number(60...120), usedShare: 2 + round / 3)
      let place: Comment = "seed \(random.seed), round \(round)"
      let metadata = try pool.metadata(scratch)
      let data = try scratch.file("data", pool.data)
      let before = try [metadata, data].map(Images.bytes)
      let old = try pieces(Program.dump(metadata).output)
      let ids = round % 3 == 0 ? ["--dev-id", "1"] : []
      let trial = try run(metadata, data, ids + ["--dry-run"])
      #expect(trial.status == 0, "\(place): \(trial.errorText)")
      #expect(try [metadata, data].map(Images.bytes) == before, place)
      let result = try run(metadata, data, ids)
      #expect(result.status == 0, "\(place): \(result.errorText)")
      #expect(try Program.check("-q", metadata).status == 0, place)
      #expect(try Peer.complaining(about: metadata).isEmpty, place)
      let dump = try Program.dump(metadata).output
      #expect(pool.fault(dump, on: try Images.bytes(data)) == nil, place)
      #expect(PoolText(dump).pool["nr_data_blocks"] == "\(pool.blockCount)", place)
      let new = pieces(dump)
      let told = try told(result.text)
      #expect(try self.told(trial.text) == told, place)
      #expect(told.before == old.values.reduce(0, +), place)
      #expect(told.after == new.values.reduce(0, +), place)
      #expect(told.after <= told.before, place)
      // With no snapshot, what was not chosen lies as it did.
      if !ids.isEmpty,
        Set(pool.devices.values.flatMap { $0.values.map(\.data) }).count
          == pool.devices.values.reduce(0, { $0 + $1.count })
      {
        for (id, count) in new where id != 1 { #expect(count == old[id], place) }
      }
      gained += told.before - told.after
    }
    #expect(gained > 40, "seed \(random.seed)")
  }

  /// A volume written back to front, on a device that is half empty, comes to be one piece.
  @Test func `where there is room, a volume becomes one piece`() throws {
    let rows = (0..<40).map {
      "<single_mapping origin_block=\"\($0)\" data_block=\"\(39 - $0)\" time=\"0\"/>\n"
    }
    let xml =
      "<superblock uuid=\"\" time=\"0\" transaction=\"0\" version=\"2\" data_block_size=\"128\" "
      + "nr_data_blocks=\"100\">\n<device dev_id=\"5\" mapped_blocks=\"40\" transaction=\"0\" "
      + "creation_time=\"0\" snap_time=\"0\">\n\(rows.joined())</device></superblock>\n"
    let metadata = try scratch.blank("metadata", bytes: 1 << 20)
    let restored = try Program.restore(
      "-i", scratch.file("pool.xml", Data(xml.utf8)), "-o", metadata)
    #expect(restored.status == 0)
    let data = try scratch.blank("data", bytes: 100 << 16)
    let result = try run(metadata, data)
    #expect(result.status == 0)
    #expect(result.text.contains("device 5: 40 pieces, 1 afterwards\n"), "\(result.text)")
    #expect(try pieces(Program.dump(metadata).output) == [5: 1])
    let again = try run(metadata, data)
    #expect(again.text.contains("nothing is left to be put together"), "\(again.text)")
  }

  @Test func `what makes no sense is refused`() throws {
    var random = SeededRandom(seed: 8)
    let pool = DataPool(&random, blockCount: 60, usedShare: 5)
    let metadata = try pool.metadata(scratch)
    let data = try scratch.file("data", pool.data)
    let before = try [metadata, data].map(Images.bytes)
    for (words, status) in [(["--nr-blocks", "59"], 73), (["--dev-id", "99"], 66)] {
      let result = try run(metadata, data, words)
      #expect(result.status == status, "\(words): \(result.errorText)")
      #expect(try [metadata, data].map(Images.bytes) == before)
    }
    let input = ["-i", metadata, "-o", metadata, "--data", data]
    for words in [["--binary"], ["--binary", "--dev-id", "1", "--nr-blocks", "50"]] {
      #expect(try Program.run("thin_shrink", words + input).status == 64, "\(words)")
    }
  }
}
