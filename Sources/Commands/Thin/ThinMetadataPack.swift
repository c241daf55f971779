internal import ArgumentParser
internal import PersistentData

/// `thin_metadata_pack`: packs metadata into a small file, to send to somebody.
struct ThinMetadataPack: Tool {
  static let configuration = CommandConfiguration(
    commandName: "thin_metadata_pack",
    abstract: "Pack metadata into a small file.",
    discussion: "The metadata of a thin pool, a cache or an era device.",
    version: Toolbox.version)

  @Option(
    name: .attached("i"),
    help: ArgumentHelp("The metadata device or file; it is only read.", valueName: "file"))
  var input: String
  @Option(name: .attached("o"), help: ArgumentHelp("The file to make.", valueName: "file"))
  var output: String
  @Flag(help: "Pack blocks with bad checksums as well; thin_metadata_unpack puts them back.")
  var includeDamaged = false
  @Flag(name: .shortAndLong, help: "Don't ask before metadata is overwritten.") var force = false
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    let file = try openInput(input, .read)
    let kind: InputKind
    do throws(IOError) { kind = try InputKind(of: file) } catch { throw Failure(input: error) }
    // With --include-damaged it may be a pool that was overwritten by something else.
    if !includeDamaged, kind.isForeign { throw Failure(foreign: input, kind) }
    try confirmOverwriting(output, isForced: force)
    let sink = try openSink(output, sparing: [input])
    let bar = ProgressBar(file.progress, isQuiet: shared.quiet)
    let contents: PackContents
    do throws(PackError) {
      let writer = try PackWriter(file, includesDamaged: includeDamaged)
      contents = try writer.write(to: sink)
    } catch {
      throw Failure(packing: input, kind, error)
    }
    try commit(sink)
    _ = consume bar
    say(contents)
  }

  private func say(_ contents: PackContents) {
    if contents.damaged.count > 0 {
      let blocks = contents.damaged.inWords
      shared.messages.say(
        includeDamaged
          ? "Packed with bad checksums, for 'dmmeta thin_metadata_unpack' alone: \(blocks)."
          : "Left out, as checksums are bad: \(blocks). With --include-damaged they are packed too."
      )
    }
    if contents.unreadable.count > 0 {
      shared.messages.say("Left out, as they can't be read: \(contents.unreadable.inWords).")
    }
  }
}
