/// What to type to copy a device with metadata.
package enum CopyCommand {
  /// `isFailing`: blocks of it can't be read, and none is to be left out or moved for that.
  package static func text(_ input: String, isFailing: Bool = false) -> String {
    isFailing
      ? "dd if=\(ShellWord(input)) of=COPY bs=4096 conv=noerror,sync    (or ddrescue; what can't "
        + "be read becomes zeroes)"
      : "dd if=\(ShellWord(input)) of=COPY bs=1M"
  }
}
