internal import ArgumentParser
internal import Glibc
internal import PersistentData
internal import Threads

/// All tools, by their usual names.
package enum Toolbox {
  /// What every tool prints for `-V`, alone on a line: LVM and others parse it.
  static let version = "2.0.0"

  /// The one table: links, lists, help and completions are made from it.
  private static let tools: [any Tool.Type] = [
    CacheCheck.self,
    CacheDump.self,
    CacheGenerateMetadata.self,
    CacheMetadataSize.self,
    CacheRepair.self,
    CacheRestore.self,
    CacheWriteback.self,
    EraCheck.self,
    EraDump.self,
    EraGenerateMetadata.self,
    EraInvalidate.self,
    EraRepair.self,
    EraRestore.self,
    ThinCheck.self,
    ThinDelta.self,
    ThinDump.self,
    ThinGenerateMetadata.self,
    ThinLs.self,
    ThinMetadataPack.self,
    ThinMetadataSize.self,
    ThinMetadataUnpack.self,
    ThinRepair.self,
    ThinRestore.self,
    ThinRmap.self,
    ThinRoots.self,
    ThinShow.self,
    ThinShrink.self,
    ThinTrim.self,
  ]

  private static var names: [String] { tools.map { $0._commandName }.sorted() }

  /// Runs the tool that the command line asks for, and ends the process.
  ///
  /// The tool is the name that the program was started by, as with a link called `thin_check`;
  /// otherwise the first argument.
  package static func main() -> Never {
    // Before anything else: a file opened later must not become standard output.
    guard StandardDescriptors.openAll() else { end(.inputOutput) }
    let arguments = FileName.commandLine
    // A reader that closes the pipe is reported by write(2), not by a signal.
    signal(SIGPIPE, SIG_IGN)
    // So is a file that has reached its size limit.
    signal(SIGXFSZ, SIG_IGN)
    Workers.prepare()
    let started = arguments.first.map(lastComponent) ?? ""
    if let tool = tool(named: started) { run(tool, Array(arguments.dropFirst())) }
    guard arguments.count > 1 else { explain(.standardError, .usage) }
    if let tool = tool(named: arguments[1]) { run(tool, Array(arguments.dropFirst(2))) }
    answer(arguments[1], arguments.dropFirst(2).first)
  }

  /// Handles a first word that isn't a tool.
  private static func answer(_ word: String, _ next: String?) -> Never {
    switch word {
    case "help":
      guard let next else { explain(.standardOutput, .success) }
      guard let tool = tool(named: next) else { refuse(next) }
      say(HelpPage(of: tool).text, to: .standardOutput)
    case "-h", "--help": explain(.standardOutput, .success)
    case "-V", "--version": say("\(version)\n", to: .standardOutput)
    // For installation: the links to make, and shell completions.
    case "--list-tools": say(names.joined(separator: "\n") + "\n", to: .standardOutput)
    case "--completion":
      guard let shell = Completion.ShellKind(rawValue: next ?? "") else {
        let shells = Completion.ShellKind.allCases.map(\.rawValue).joined(separator: ", ")
        say("--completion is for one of these: \(shells)\n", to: .standardError)
        end(.usage)
      }
      say(Completion(pages: pages).script(for: shell), to: .standardOutput)
    default: refuse(word)
    }
    end(.success)
  }

  /// Reports that there is no such tool, and which one may have been meant.
  private static func refuse(_ word: String) -> Never {
    // People also write thin-check, or leave out the first half.
    let name = word.replacing("-", with: "_")
    let halves = names.filter { $0.hasSuffix("_" + name.lowercased()) }
    let meant = halves.isEmpty ? NearMiss.names(near: name, among: names) : halves
    say("there is no tool '\(word)'\(NearMiss.question(meant))\n", to: .standardError)
    if meant.isEmpty {
      say("\n", to: .standardError)
      explain(.standardError, .usage)
    }
    say("'dmmeta --help' lists them all.\n", to: .standardError)
    end(.usage)
  }

  private static func tool(named name: String) -> (any Tool.Type)? {
    tools.first { $0._commandName == name }
  }

  private static func run(_ tool: any Tool.Type, _ arguments: [String]) -> Never {
    let arguments = tool.normalized(arguments.map { $0 == "-V" ? "--version" : $0 })
    let command = parse(tool, arguments)
    do throws(Failure) {
      try command.run()
    } catch {
      if !error.message.isEmpty, !command.shared.quiet {
        say("\(tool._commandName): \(error.message)\n", to: .standardError)
      }
      end(error.status)
    }
    end(.success)
  }

  /// The one place with untyped errors: those of the option parser, which include help and version.
  private static func parse(_ tool: any Tool.Type, _ arguments: [String]) -> any Tool {
    do {
      var command = try tool.parseAsRoot(arguments)
      if let command = command as? any Tool { return command }
      try command.run()
      end(.success)
    } catch {
      // The parser reports missing arguments first, although a misspelt option may be the only
      // fault.
      if tool.exitCode(for: error) == .validationFailure,
        !tool.message(for: error).contains("Unknown option"),
        let problem = KnownOptions(of: tool).problem(in: arguments)
      {
        end(ValidationError(problem), of: tool)
      }
      end(error, of: tool)
    }
  }

  /// Prints what the option parser has to say: an error, or the help asked for.
  private static func end(_ error: any Error, of tool: any Tool.Type) -> Never {
    let status = tool.exitCode(for: error)
    let page = HelpPage(of: tool)
    if !status.isSuccess {
      say("Error: \(page.adapted(tool.message(for: error)))\n", to: .standardError)
      say(page.hint, to: .standardError)
    } else {
      let text = tool.fullMessage(for: error)
      say(text.hasPrefix("OVERVIEW: ") ? page.text : text + "\n", to: .standardOutput)
    }
    exit(status.rawValue)
  }

  private static var pages: [HelpPage] { tools.map { HelpPage(of: $0) } }

  private static func explain(_ sink: ByteSink, _ status: ExitStatus) -> Never {
    let list = pages.flatMap { HelpPage.lines("  \($0.tool)", $0.summary, leastGap: 1) }
    say(
      "dmmeta \(version): keep, understand and rescue the metadata of thin pools, caches, eras.\n\n"
        + "usage: dmmeta TOOL [OPTION ...], or a link with the tool's name\n\n"
        + "tools:\n\(list.map { $0 + "\n" }.joined())\n"
        + "'dmmeta help TOOL' or 'man TOOL' tells about a tool.\n",
      to: sink)
    end(status)
  }

  private static func lastComponent(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? ""
  }

  private static func end(_ status: ExitStatus) -> Never { exit(status.rawValue) }

  /// Ignores errors: nothing can be done about a message that can't be written.
  private static func say(_ text: String, to sink: ByteSink) { try? sink.write(text.printable) }
}

/// A tool: a command line that ends in a call.
protocol Tool: ParsableCommand {
  var shared: SharedOptions { get }

  /// Does the job. The failure thrown has the last message and the exit status.
  func run() throws(Failure)

  /// Rewrites spellings that the option parser can't take, such as an option with an optional
  /// value.
  static func normalized(_ arguments: [String]) -> [String]
}

extension Tool {
  static func normalized(_ arguments: [String]) -> [String] { arguments }
}
