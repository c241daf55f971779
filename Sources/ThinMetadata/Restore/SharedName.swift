/// The name of a shared run, as it is kept to be found again.
///
/// Ours are numbers, but XML may hold thousands of names of any length. For a long one a digest is
/// kept: 128 bits that depend on this process, so that nobody can make two alike.
struct SharedName: Hashable, Sendable {
  private static let longest = 64

  /// A short name as it is.
  private let text: String
  private let size: Int
  private let digest: SIMD2<Int>

  init(_ name: String) {
    size = name.utf8.count
    guard size > SharedName.longest else {
      text = name
      digest = SIMD2()
      return
    }
    text = ""
    digest = SIMD2(SharedName.hash(name, 0), SharedName.hash(name, 1))
  }

  private static func hash(_ name: String, _ salt: UInt8) -> Int {
    var hasher = Hasher()
    hasher.combine(salt)
    hasher.combine(name)
    return hasher.finalize()
  }
}
