/// How the superblock of damaged metadata was obtained.
package enum SuperblockState: Sendable {
  case sound
  /// A flipped bit or a wrong byte was corrected.
  case corrected
  /// It was rebuilt from everything else and from what the user gave.
  case remade

  /// What a repair says about `corrected`.
  package static let correctedLine = "The superblock had a wrong bit or byte, which was corrected."
}
