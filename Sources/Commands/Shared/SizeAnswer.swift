internal import ArgumentParser

/// The options for printing a computed size.
struct SizeAnswer: ParsableArguments {
  /// How the number is printed.
  enum NumberForm: String, CaseIterable, ExpressibleByArgument {
    case plain, short, long
  }

  @Option(name: .attached("u"), help: "The unit of the answer.") var unit = ByteUnit.sector
  @Option(
    name: .attached("n"),
    help: ArgumentHelp(
      "Print the number alone, or with the unit's letter or name.", valueName: "form"))
  var numericOnly: NumberForm?

  /// Handles `-n`, whose value is optional.
  static func normalized(_ arguments: [String]) -> [String] {
    arguments.map { argument in
      switch argument {
      case "-n", "--numeric-only": "--numeric-only=plain"
      default: argument.hasPrefix("-n=") ? "--numeric-only=" + argument.dropFirst(3) : argument
      }
    }
  }

  /// The size with its unit, or only the number.
  func line(bytes: UInt64) -> String {
    let figure = unit.figure(bytes)
    return switch numericOnly {
    case nil: "\(figure) \(unit.plural)"
    case .plain: figure
    case .short: figure + unit.letter
    case .long: figure + unit.plural
    }
  }
}
