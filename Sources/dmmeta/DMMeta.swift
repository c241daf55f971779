internal import Commands

/// The program: one binary for all tools.
@main
enum DMMeta {
  static func main() {
    Toolbox.main()
  }
}
