@main
enum DMMeta {
  static func main() {}
}
