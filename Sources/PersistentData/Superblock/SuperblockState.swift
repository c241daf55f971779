/// How the superblock of damaged metadata was had.
package enum SuperblockState: Sendable {
  case sound
  /// A flipped bit or a wrong byte was put right.
  case corrected
  /// It was made anew from everything else and from what a person gave.
  case remade

  /// What a repair says of the second.
  package static let correctedLine = "The superblock had a wrong bit or byte, which is put right."
}
