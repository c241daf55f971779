internal import ArgumentParser
internal import ThinMetadata

/// The options for where the names of volumes come from.
struct NameOptions: ParsableArguments {
  @Option(
    name: .customLong("names"),
    help: ArgumentHelp(
      "Names of volumes: what 'lvs -o lv_name,thin_id VG' or vgcfgbackup wrote; - is stdin.",
      valueName: "file"))
  var file: String?
  @Option(help: "The pool, if the names are those of several.") var pool: String?

  func validate() throws {
    if pool != nil, file == nil { throw ValidationError("--pool needs --names") }
  }

  /// The names; empty without `--names`.
  func read() throws(Failure) -> VolumeNames {
    guard let file else { return VolumeNames() }
    let text = try TextInput.read(file)
    do throws(VolumeNames.Failure) { return try VolumeNames(text, pool: pool) } catch {
      throw Failure(names: file, error)
    }
  }
}

extension Failure {
  /// A text that should give names and doesn't.
  fileprivate init(names path: String, _ error: VolumeNames.Failure) {
    let form =
      "what 'lvs -o lv_name,thin_id VG' prints, with --reportformat json too, or a file of "
      + "vgcfgbackup"
    switch error {
    case .unknownForm:
      self.init(.notMetadata, "'\(path)' has no names that can be read: give \(form)")
    case .noVolumes: self.init(.notMetadata, "'\(path)' names no thin volume: give \(form)")
    case .ambiguous(let id, let one, let other):
      self.init(
        .notMetadata,
        "'\(path)' has two names for device \(id), '\(one)' and '\(other)', so they are of several "
          + "pools; let lvs list one: -S pool_lv=POOL")
    case .pools(let pools):
      self.init(
        .usage,
        "'\(path)' names volumes of these pools: \(pools.joined(separator: ", ")); choose one with "
          + "--pool")
    }
  }
}
