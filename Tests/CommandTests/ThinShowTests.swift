import Foundation
import FoundationXML
import TestSupport
import Testing

/// thin_show: a picture of a pool, as text and as a page.
@Suite struct ThinShowTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func page(_ options: [String], _ image: String) throws -> ShownPage {
    let result = try Program.run("thin_show", options + ["--html", "-", image])
    return try ShownPage(result)
  }

  private static let damages = ["leaf-bit", "data-count-low", "keys-swapped", "mapped-count"]

  // MARK: Numbers

  @Test(arguments: Images.names)
  func `numbers of the page are those of a plain model`(name: String) throws {
    let image = try Images.path(name)
    let pools = try DevicePools.all(image)
    for pool in pools {
      let page = try page(pool.options, image)
      #expect(page.status == 0 || page.status == 1)
      let users = pool.users
      // Among many, those that map nothing have no row.
      let listed = pool.ids.count > 40 ? pool.ids.filter { !pool.mappings[$0]!.isEmpty } : pool.ids
      #expect(page.rows.map(\.id) == listed)
      for row in page.rows {
        let mappings = pool.mappings[row.id, default: []]
        #expect(row.mapped == mappings.count)
        #expect(row.alone == mappings.count { users[$0.data]?.count == 1 })
        let joins = zip(mappings, mappings.dropFirst()).count {
          $1.virtual == $0.virtual + 1 && $1.data == $0.data + 1
        }
        #expect(row.pieces == mappings.count - joins, "device \(row.id)")
      }
      let mapped = page.blocks(of: "exclusive") + page.blocks(of: "shared")
      #expect(mapped == users.count)
    }
  }

  @Test(arguments: Images.names)
  func `what is ticked frees what nobody else maps`(name: String) throws {
    let image = try Images.path(name)
    let pools = try DevicePools.all(image)
    var random = SeededRandom()
    for pool in pools where !pool.ids.isEmpty {
      let held = pool.options.isEmpty ? pools.dropFirst().first : nil
      let page = try page(pool.options, image)
      for round in 0..<8 {
        let ids = page.rows.map(\.id).filter { _ in round == 0 || random.once(in: 2) }
        let (now, later) = pool.freed(ids, held: held)
        let freed = page.freed(ids)
        #expect(freed.now == now, "\(ids), seed \(random.seed)")
        #expect(freed.held == later - now, "\(ids), seed \(random.seed)")
      }
    }
  }

  @Test func `a snapshot is shown below its origin`() throws {
    let page = try page([], try Images.path("snapshots-of-snapshots"))
    // As the scenario makes them: odd ones of the odd one before, even ones of the first.
    for id in 1...36 {
      let origin = id % 2 == 0 || id == 1 ? 0 : id - 2
      #expect(
        page.has("device \(id) <small>made at time \(id), snapshot of device \(origin)</")
      )
    }
    #expect(page.has("device 0 <small>made at time 0</small>"))
  }

  // MARK: Form

  @Test(arguments: Images.names)
  func `the page is one small file of XML that loads nothing`(name: String) throws {
    let page = try page([], try Images.path(name))
    let isXML = page.isXML
    #expect(isXML)
    #expect(page.text.utf8.count < 500_000)
    let links = page.text.matches(of: /(?:src|href|action)=|@import|url\((?!#)|https?:/)
      .map { String($0.output) }
    // The name of the language that it is written in.
    #expect(links == ["http:"])
    #expect(page.has("xmlns=\"http://www.w3.org/1999/xhtml\""))
  }

  @Test(arguments: Images.names)
  func `no line of the text is wider than 78 columns`(name: String) throws {
    let result = try Program.run("thin_show", [try Images.path(name)])
    let lines = result.text.split(separator: "\n")
    #expect(lines.count > 10)
    #expect(lines.filter { $0.unicodeScalars.count > 78 } == [])
    #expect(!result.text.contains("\u{1B}"))
  }

  @Test(arguments: damages)
  func `pictures of damaged pools have their form too`(how: String) throws {
    let image = try scratch.broken("ext4", how)
    let text = try Program.run("thin_show", [image])
    #expect(text.text.split(separator: "\n").allSatisfy { $0.unicodeScalars.count <= 78 })
    #expect(text.status == 1)
    #expect(text.text.split(separator: "\n")[0].hasSuffix(": damaged"))
    let page = try page([], image)
    #expect(page.status == 1)
    let isXML = page.isXML
    #expect(isXML)
    #expect(page.has("<span class=\"verdict damaged\">damaged</span>"))
  }

  @Test func `colours are for terminals, unless they are not wanted`() throws {
    let image = try Images.path("fresh")
    let shown = try Program.script(
      Terminal.script("thin_show \(image)").replacing("exec ", with: "unset NO_COLOR; exec "))
    #expect(shown.text.contains("\u{1B}[32msound\u{1B}[0m"), "\(shown.text.prefix(200))")
    let plain = try Program.script(
      Terminal.script("thin_show \(image)").replacing(
        "exec ", with: "export NO_COLOR=1; exec "))
    #expect(plain.status == 0)
    #expect(plain.text.contains("fresh: sound"))
    #expect(!plain.text.contains("\u{1B}[32m"))
  }

  // MARK: Damage

  @Test func `what damage hides is said, and not made up`() throws {
    let image = try scratch.withoutFirstLeaf("ext4")
    let text = try Program.run("thin_show", [image])
    #expect(text.status == 1)
    #expect(text.text.contains(/device \d: \d+ of \d+ mappings can be read/))
    #expect(text.text.contains("What a volume has alone"))
    let page = try page([], image)
    #expect(page.rows.allSatisfy { $0.alone == nil })
    #expect(page.rows.contains { $0.mapped == nil })
    #expect(!page.has("const sets="))
    #expect(
      page.has("What deleting volumes would free can&#39;t be told.")
        || page.has("What deleting volumes would free can't be told."))
    #expect(page.has(" damaged</th>") || page.has("</i>damaged</th>"))
    #expect(page.errorText.contains("bad checksum"))
  }

  @Test func `wrong counts hide no mapping, but what deleting would free`() throws {
    let image = try scratch.file("image", TestFiles.image("thin-faulty/miscounted"))
    let page = try page([], image)
    #expect(page.status == 1)
    #expect(page.rows.allSatisfy { $0.alone != nil && $0.mapped != nil })
    #expect(page.blocks(of: "exclusive") == page.rows.compactMap(\.alone).reduce(0, +))
    #expect(page.has("Every mapping can be read.") && !page.has("may be missing"))
    #expect(page.has("What deleting volumes would free can't be told."))
    #expect(!page.has("const sets="))
  }

  @Test func `a reader that leaves does not make a damaged pool sound`() throws {
    let image = try scratch.withoutFirstLeaf("ext4")
    let result = try Program.script(
      "set -o pipefail; $dmmeta thin_show \"$1\" | head -c 1 > /dev/null; echo ${PIPESTATUS[0]}",
      image)
    #expect(result.text == "1\n")
  }

  @Test func `leaked blocks are doubtful`() throws {
    let image = try Images.path("discard-leak")
    let result = try page([], image)
    #expect(result.status == 1)
    #expect(result.text.contains("<span class=\"verdict leaking\">"))
    // As the table of fixtures has it.
    #expect(result.blocks(of: "doubtful") == 300)
  }

  // MARK: Names and files

  @Test func `nothing in a name does anything in the page`() throws {
    let evil = "<script>alert('1')&\u{1}\u{202E}\u{FFFF}\"<b>"
    let names: [String: Any] = [
      "report": [["lv": [["lv_name": evil, "thin_id": "0"]]]]
    ]
    let file = try scratch.file("names", JSONSerialization.data(withJSONObject: names))
    let image = try scratch.copy("snapshots")
    let odd = scratch.folder.appendingPathComponent("<i>&'\"\n.img").path
    try FileManager.default.moveItem(atPath: image, toPath: odd)
    let page = try page(["--names", file], odd)
    #expect(page.status == 0, "\(page.errorText)")
    let isXML = page.isXML
    #expect(isXML)
    #expect(page.has("&lt;script&gt;alert(&#39;1&#39;)"))
    #expect(!page.has("alert('1')"))
    #expect(!page.has("<i>&") && !page.has("\u{202E}"))
    let text = try Program.run("thin_show", ["--names", file, odd])
    #expect(text.text.split(separator: "\n").allSatisfy { $0.unicodeScalars.count <= 78 })
    #expect(!text.text.contains("\u{1}") && !text.text.contains("\u{202E}"))
  }

  @Test func `wide characters take their two columns`() throws {
    let file = try scratch.file(
      "names", Data(String(repeating: "漢", count: 30).utf8 + Data(" 0\n".utf8)))
    let result = try Program.run("thin_show", ["--names", file, try Images.path("snapshots")])
    #expect(result.status == 0, "\(result.errorText)")
    let lines = result.text.split(separator: "\n").filter { $0.contains("漢") }
    #expect(!lines.isEmpty)
    for line in lines {
      #expect(line.unicodeScalars.reduce(0) { $0 + ($1.value > 0x2E80 ? 2 : 1) } <= 78)
    }
  }

  @Test func `a page that is there stays until the new one is whole`() throws {
    let page = try scratch.file("page.html", Data("old".utf8))
    let other = try scratch.file("other", Program.dump(Images.path("snapshots")).output)
    #expect(try Program.run("thin_show", ["--html", page, other]).status == 65)
    #expect(try String(contentsOfFile: page, encoding: .utf8) == "old")
    let full = try Program.script(
      "ulimit -f 8; exec $dmmeta thin_show --html \"$1\" \"$2\"", page, Images.path("ext4"))
    #expect(full.status == 74, "\(full.errorText)")
    #expect(try String(contentsOfFile: page, encoding: .utf8) == "old")
    #expect(try Program.run("thin_show", ["--html", page, Images.path("ext4")]).status == 0)
    #expect(try String(contentsOfFile: page, encoding: .utf8).hasPrefix("<!DOCTYPE html>"))
  }

  @Test func `the input is no page`() throws {
    let image = try scratch.copy("fresh")
    let before = try Images.bytes(image)
    let result = try Program.run("thin_show", ["--html", image, image])
    #expect(result.status == 73)
    #expect(result.errorText.contains("would overwrite"))
    #expect(try Images.bytes(image) == before)
  }

  // MARK: Size

  @Test func `a page of 1,6 million mappings is small and soon there`() throws {
    let image = scratch.folder.appendingPathComponent("large").path
    let made = try Program.run(
      "thin_generate_metadata",
      [
        "-o", image, "--force", "--devices", "4", "--snapshots", "3", "--segments", "100",
        "--leaves", "4", "--diverge", "10", "--run-max", "3", "--data", "permuted", "--scattered",
      ])
    #expect(made.status == 0, "\(made.errorText)")
    let result = try Program.script(
      "TIMEFORMAT='%U %S'; time $dmmeta thin_show --html - \"$1\"", image)
    let page = try ShownPage(result)
    #expect(page.rows.compactMap(\.mapped).reduce(0, +) > 1_600_000)
    #expect(page.text.utf8.count < 500_000)
    let isXML = page.isXML
    #expect(isXML)
    let times = page.errorText.split(separator: "\n").last?.split(separator: " ") ?? []
    #expect(times.compactMap { Double($0) }.reduce(0, +) < 2)
  }
}

/// A page of thin_show, as a reader sees it.
private struct ShownPage: CustomTestStringConvertible {
  var testDescription: String { "a page" }

  struct Row {
    let id: UInt64
    let mapped: Int?
    let alone: Int?
    let pieces: Int
  }

  let status: Int32
  let text: String
  let errorText: String
  let rows: [Row]
  /// Blocks, whether the metadata snapshot has them too, and the rows of the volumes.
  private let sets: [(blocks: Int, isHeld: Bool, rows: [Int])]

  init(_ result: Shell.Result) throws {
    status = result.status
    text = result.text
    errorText = result.errorText
    rows = text.matches(of: /<tr data-id="(\d+)"([^>]*)>.*/).map { match in
      let values = match.output.2
      func value(_ name: String) -> Int? {
        values.split(separator: " ").first { $0.hasPrefix("data-\(name)=") }
          .flatMap { Int($0.split(separator: "\"")[1]) }
      }
      let cells = match.output.0.split(separator: "<td class=\"n\">").map {
        $0.prefix { $0 != "<" }
      }
      return Row(
        id: UInt64(match.output.1) ?? 0, mapped: value("mapped"), alone: value("alone"),
        pieces: cells.count > 1 ? Int(cells[cells.count - 2]) ?? -1 : -1)
    }
    let list = text.firstMatch(of: /const sets=(\[.*?\]), blockBytes/).map { String($0.output.1) }
    let json = try JSONValue(
      parsing: Data((list ?? "[]").replacing("]],]", with: "]]]").utf8))
    sets = json.elements.map { set in
      let parts = set.elements
      return (parts[0].integer ?? 0, parts[1].integer == 1, parts[2].elements.compactMap(\.integer))
    }
  }

  /// As the page's script adds up.
  func freed(_ ids: [UInt64]) -> (now: Int, held: Int) {
    let wanted = Set(ids)
    var sum = (now: 0, held: 0)
    for set in sets where set.rows.allSatisfy({ wanted.contains(rows[$0].id) }) {
      if set.isHeld { sum.held += set.blocks } else { sum.now += set.blocks }
    }
    return sum
  }

  /// Blocks of a part of the data device.
  func blocks(of part: String) -> Int {
    text.split(separator: "\n").first { $0.contains("<i class=\"k p-\(part)\"></i>") }
      .flatMap { $0.firstMatch(of: /<td class="n wide">(\d+)</).flatMap { Int($0.output.1) } } ?? 0
  }

  /// Whether it has some text; said without the page where a test fails.
  func has(_ part: String) -> Bool { text.contains(part) }

  var isXML: Bool { XMLParser(data: Data(text.utf8)).parse() }
}
