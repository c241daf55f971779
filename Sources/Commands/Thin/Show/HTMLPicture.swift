internal import PersistentData
internal import ThinMetadata

/// A picture of a pool as a page: one self-contained file, HTML that is also XML.
struct HTMLPicture {
  /// The most volumes with a row; those that map most get one.
  private static let maxVolumes = 200
  /// The number of different colours.
  private static let colourCount = 8

  let picture: PoolPicture
  let input: String
  let check: [String]
  /// Indices in the picture's volumes, ascending.
  let shown: [Int]
  private let colours: [Int]

  /// `check`: what thin_check says.
  init(_ picture: PoolPicture, input: String, check: [String]) {
    self.picture = picture
    self.input = input
    self.check = check
    shown = picture.notable(atMost: HTMLPicture.maxVolumes)
    colours = picture.colours(shown)
  }

  var text: String {
    let name = Markup.text(FileNamePart.last(of: input).oneLine)
    let parts = [
      heading(name), space, volumeTable, sharing, family,
      "<div class=\"two\">\n\(dataMap)\(metadataMap)</div>\n", states, checkText,
    ]
    return """
      <!DOCTYPE html>
      <html lang="en" xmlns="http://www.w3.org/1999/xhtml">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta http-equiv="Content-Security-Policy" content="connect-src 'none'; \
      img-src 'none'; font-src 'none'; media-src 'none'; object-src 'none'; frame-src 'none'"/>
      <title>\(name): \(picture.verdict)</title>
      <style>
      \(PageStyle.sheet)
      </style>
      </head>
      <body>
      <main>
      \(parts.joined())</main>
      \(calculator)</body>
      </html>

      """
  }

  func section(_ title: String, _ body: String) -> String {
    "<section>\n<h2>\(title)</h2>\n\(body)</section>\n"
  }

  func name(_ volume: Int) -> String { Markup.text(picture.volumes[volume].name.oneLine) }

  /// The class of a volume's colour.
  func colour(_ volume: Int) -> String { "c\(colours[volume] % HTMLPicture.colourCount)" }

  /// A square of a volume's colour.
  func swatch(_ volume: Int) -> String {
    "<i class=\"k \(colour(volume))\"></i>"
  }

  private func heading(_ name: String) -> String {
    let lines = picture.summary.map { "<p>\(Markup.text($0))</p>\n" }.joined()
    let untold = picture.untold.map { "<li>\(Markup.text($0.oneLine))</li>\n" }.joined()
    return """
      <header>
      <h1>\(name) <span class="verdict \(picture.verdict)">\(picture.verdict)</span></h1>
      \(lines)\(untold.isEmpty ? "" : "<ul class=\"untold\">\n\(untold)</ul>\n")</header>

      """
  }

  // MARK: Space

  private var space: String {
    let rows = picture.parts.map { part in
      """
      <tr><th scope="row"><i class="k p-\(part.name)"></i>\(part.name)</th>\
      <td class="n">\(picture.size(part.blocks))</td>\
      <td class="n">\(share(part.blocks ?? 0))</td>\
      <td class="n wide">\(part.blocks.map { "\($0)" } ?? "?")</td>\
      <td>\(Markup.text(part.about))</td></tr>

      """
    }
    return section(
      "Where the space is",
      """
      \(spaceBar)<div class="scroll"><table class="kinds">
      <tr><th scope="col">part</th><th scope="col" class="n">size</th>\
      <th scope="col" class="n">share</th><th scope="col" class="n wide">blocks</th>\
      <th scope="col">is</th></tr>
      \(rows.joined())</table></div>

      """)
  }

  private func share(_ blocks: UInt64) -> String {
    Markup.text(picture.percent(blocks, of: picture.space.total))
  }

  private var spaceBar: String {
    let total = Double(max(1, picture.space.total))
    var x = 0.0
    var bars = ""
    for part in picture.parts {
      let width = min(1000 - x, Double(part.blocks ?? 0) / total * 1000)
      if width > 0 {
        bars += """
          <rect class="p-\(part.name)" x="\(Markup.number(x))" y="0" \
          width="\(Markup.number(max(width, 0.5)))" height="30">\
          <title>\(part.name): \(picture.size(part.blocks))</title></rect>
          """
      }
      x += width
    }
    return """
      <svg class="bar" viewBox="0 0 1000 30" preserveAspectRatio="none" role="img">\
      <title>The data device by parts; the table below has the numbers</title>\
      \(HTMLPicture.hatch)\(bars)</svg>

      """
  }

  /// A pattern, besides the colour, for doubtful and unknown blocks.
  private static let hatch = """
    <defs><pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse">\
    <rect class="hb" width="8" height="8"/><path class="hl" d="M0 8L8 0M-2 2L2 -2M6 10L10 6"/>\
    </pattern></defs>
    """

  // MARK: Words

  private var states: String {
    guard let states = picture.states, picture.oldStateCount > 0 else { return "" }
    let lines = (states.lines.prefix(100) + states.advice).map(\.oneLine)
    return section(
      "Old states that are still there",
      "<pre>\(Markup.text(lines.joined(separator: "\n")))</pre>\n")
  }

  private var checkText: String {
    section("thin_check says", "<pre>\(Markup.text(check.joined(separator: "\n")))</pre>\n")
  }
}

/// The last component of a path.
enum FileNamePart {
  static func last(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}
