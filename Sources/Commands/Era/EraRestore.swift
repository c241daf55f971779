internal import ArgumentParser
internal import EraMetadata
internal import MetadataXML
internal import PersistentData

/// `era_restore`: writes the metadata of an era device from XML.
struct EraRestore: Tool {
  static let configuration = CommandConfiguration(
    commandName: "era_restore", abstract: "Write the metadata of an era device from XML.",
    version: Toolbox.version)

  @Option(
    name: .attached("i"), help: ArgumentHelp("The XML, a file or a pipe.", valueName: "file"))
  var input: String
  @Option(
    name: .attached("o"),
    help: ArgumentHelp("The metadata device or file to overwrite.", valueName: "file"))
  var output: String
  @OptionGroup var shared: SharedOptions

  func run() throws(Failure) {
    let (source, file) = try openRestore(input, output)
    let bar = ProgressBar(source.progress, isQuiet: shared.quiet)
    let restorer: EraRestorer
    do throws(XMLError) { restorer = try EraXMLReader.read(source, into: EraRestorer(file)) } catch
    {
      bar.finish()
      throw Failure(error, input, output, for: .era)
    }
    bar.finish()
    if let era = restorer.presumedEra {
      shared.messages.say(
        "'\(input)' has no writeset of the current era, \(era), only of earlier ones: every block "
          + "counts as written in it, so that no backup misses a block.")
    }
  }
}
