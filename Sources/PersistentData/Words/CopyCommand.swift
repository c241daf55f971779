/// The command that copies a metadata device.
package enum CopyCommand {
  /// `isFailing`: some blocks can't be read; the copy must not drop or shift any.
  package static func text(_ input: String, isFailing: Bool = false) -> String {
    isFailing
      ? "dd if=\(ShellWord(input)) of=COPY bs=4096 conv=noerror,sync    (or ddrescue; what can't "
        + "be read becomes zeroes)"
      : "dd if=\(ShellWord(input)) of=COPY bs=1M"
  }
}
