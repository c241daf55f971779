internal import ArgumentParser
internal import Glibc
internal import PersistentData
internal import Threads

/// All tools, by the names people know them by.
package enum Toolbox {
  /// What every tool answers to `-V`, alone on a line: LVM and others parse it.
  static let version = "2.0.0"

  private static let tools: [any Tool.Type] = [
    ThinCheck.self, ThinDump.self, ThinGenerateMetadata.self, ThinRepair.self, ThinRestore.self,
    ThinRoots.self,
  ]

  private static var names: [String] { tools.map { $0._commandName }.sorted() }

  /// Runs the tool that `arguments` ask for, and ends the process.
  ///
  /// The tool is the name the program was started by, as with a link called `thin_check`;
  /// otherwise the first argument.
  package static func main(_ arguments: [String]) -> Never {
    // A reader that closes the pipe is reported by write(2), not by a signal.
    signal(SIGPIPE, SIG_IGN)
    // So is a file that has grown as large as it may.
    signal(SIGXFSZ, SIG_IGN)
    Workers.prepare()
    let started = arguments.first.map(lastComponent) ?? ""
    if let tool = tool(named: started) { run(tool, Array(arguments.dropFirst())) }
    guard arguments.count > 1 else { explain(.standardError, .usage) }
    if let tool = tool(named: arguments[1]) { run(tool, Array(arguments.dropFirst(2))) }
    switch arguments[1] {
    case "-h", "--help", "help": explain(.standardOutput, .success)
    case "-V", "--version":
      say("\(version)\n", to: .standardOutput)
      end(.success)
    default:
      say("there is no tool '\(arguments[1])'\n\n", to: .standardError)
      explain(.standardError, .usage)
    }
  }

  private static func tool(named name: String) -> (any Tool.Type)? {
    tools.first { $0._commandName == name }
  }

  private static func run(_ tool: any Tool.Type, _ arguments: [String]) -> Never {
    let arguments = tool.normalized(arguments.map { $0 == "-V" ? "--version" : $0 })
    var isQuiet = false
    do {
      var command = try tool.parseAsRoot(arguments)
      isQuiet = (command as? any Tool)?.shared.quiet ?? false
      try command.run()
    } catch let failure as Failure {
      if !failure.message.isEmpty, !isQuiet {
        say("\(tool._commandName): \(failure.message)\n", to: .standardError)
      }
      end(failure.status)
    } catch let failure as ByteSink.Failure {
      guard case .failed(let error) = failure else { end(.success) }
      if !isQuiet { say("\(tool._commandName): \(error)\n", to: .standardError) }
      end(.inputOutput)
    } catch {
      tool.exit(withError: error)
    }
    end(.success)
  }

  private static func explain(_ sink: ByteSink, _ status: ExitStatus) -> Never {
    let list = names.map { "  \($0)\n" }.joined()
    say(
      "dmmeta \(version): keep, understand and rescue the metadata of thin pools.\n\n"
        + "usage: dmmeta TOOL [OPTION ...], or a link with the tool's name\n\n"
        + "tools:\n\(list)\n'dmmeta TOOL --help' tells about a tool.\n",
      to: sink)
    end(status)
  }

  private static func lastComponent(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? ""
  }

  private static func end(_ status: ExitStatus) -> Never { exit(status.rawValue) }

  /// Nothing can be done about a message that can't be written.
  private static func say(_ text: String, to sink: ByteSink) { try? sink.write(text) }
}

/// A tool: a command line that ends in a call.
protocol Tool: ParsableCommand {
  var shared: SharedOptions { get }

  /// Rewrites spellings that the option parser can't take, such as an option with an optional
  /// value.
  static func normalized(_ arguments: [String]) -> [String]
}

extension Tool {
  static func normalized(_ arguments: [String]) -> [String] { arguments }
}
