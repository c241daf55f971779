internal import ArgumentParser
internal import CacheMetadata
internal import MetadataXML
internal import PersistentData

/// `cache_restore`: writes the metadata of a cache from XML.
struct CacheRestore: Tool {
  static let configuration = CommandConfiguration(
    commandName: "cache_restore", abstract: "Write the metadata of a cache from XML.",
    version: Toolbox.version)

  enum Version: String, CaseIterable, ExpressibleByArgument {
    case inMappings = "1"
    case inBitset = "2"
  }

  @Option(
    name: .attached("i"), help: ArgumentHelp("The XML, a file or a pipe.", valueName: "file"))
  var input: String
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("The metadata device or file to overwrite.", valueName: "file"))
  var output: String
  @Option(help: "The form of the metadata: 2 keeps dirty bits apart from the mappings.")
  var metadataVersion = Version.inBitset
  @Flag(help: "Write metadata as after a crash: the kernel takes every block for dirty.")
  var omitCleanShutdown = false
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    let (source, file) = try openRestore(input, output)
    let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
    var events = CacheRestorer(file)
    events.version = metadataVersion == .inMappings ? 1 : 2
    events.omitsCleanShutdown = omitCleanShutdown
    do throws(XMLError) { _ = try CacheXMLReader.read(source, into: events) } catch {
      bar.finish()
      throw Failure(error, input, output, for: .cache)
    }
    bar.finish()
  }
}
