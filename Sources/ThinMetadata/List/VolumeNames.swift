/// What LVM calls thin devices, by their ids.
package struct VolumeNames: Sendable {
  /// Why a text gives no names.
  package enum Failure: Error, Equatable {
    /// It has none of the forms that are understood.
    case unknownForm
    /// It has no thin volume at all.
    case noVolumes
    /// Two volumes have the same id, as they may in different pools.
    case ambiguous(id: UInt64, one: String, other: String)
    /// It has several pools, and none was chosen; or it hasn't the one that was.
    case pools([String])
  }

  private var names: [UInt64: String] = [:]

  /// No names.
  package init() {}

  /// Reads what `lvs -o lv_name,thin_id` prints, as columns or as JSON, or a volume group's
  /// metadata as vgcfgbackup writes it.
  ///
  /// `pool`: the thin pool meant, where a text tells which volume is in which.
  package init(_ text: String, pool: String? = nil) throws(Failure) {
    let volumes: [NamedVolume]
    switch text.first(where: { !$0.isWhitespace }) {
    case "{": volumes = try NamedVolume.list(json: text)
    case _ where text.contains("logical_volumes {"):
      volumes = NamedVolume.list(groupMetadata: text)
    case _: volumes = try NamedVolume.list(columns: text)
    }
    let pools = Set(volumes.compactMap(\.pool)).sorted()
    if let pool {
      guard pools.isEmpty || pools.contains(pool) else { throw .pools(pools) }
    } else if pools.count > 1 {
      throw .pools(pools)
    }
    for volume in volumes where pool == nil || volume.pool == nil || volume.pool == pool {
      if let other = names[volume.id], other != volume.name {
        throw .ambiguous(id: volume.id, one: other, other: volume.name)
      }
      names[volume.id] = volume.name
    }
    if names.isEmpty { throw .noVolumes }
  }

  package var isEmpty: Bool { names.isEmpty }

  package subscript(id: UInt64) -> String? { names[id] }

  /// The id of the device that a volume is.
  package func id(of name: String) -> UInt64? { names.first { $0.value == name }?.key }
}

/// A thin volume as LVM shows it.
struct NamedVolume: Hashable, Sendable {
  let name: String
  let id: UInt64
  /// `nil` where it isn't given.
  let pool: String?
}

extension NamedVolume {
  /// From the columns of lvs: with a line of headings, or a name and an id on each line. A volume
  /// that is not thin has no id.
  static func list(columns text: String) throws(VolumeNames.Failure) -> [NamedVolume] {
    let lines = text.split(whereSeparator: \.isNewline).map {
      $0.split(whereSeparator: \.isWhitespace).map(String.init)
    }
    var volumes: [NamedVolume] = []
    for (index, words) in lines.enumerated() where words != ["LV", "ThId"] {
      // Names of hidden volumes stand in brackets, and can't be thin volumes.
      if words.count == 1 || words[0].hasPrefix("[") { continue }
      guard words.count == 2, let id = UInt64(words[1]) else {
        // Headings may have been chosen by the user.
        if index == 0, words.count == 2 { continue }
        throw .unknownForm
      }
      volumes.append(NamedVolume(name: words[0], id: id, pool: nil))
    }
    return volumes
  }

  /// From lvs --reportformat json, or json_std.
  static func list(json text: String) throws(VolumeNames.Failure) -> [NamedVolume] {
    guard let objects = FlatJSON.objects(in: text) else { throw .unknownForm }
    return objects.compactMap { object in
      guard let name = object["lv_name"], let id = object["thin_id"].flatMap({ UInt64($0) })
      else { return nil }
      let pool = object["pool_lv"].flatMap { $0.isEmpty || $0 == "null" ? nil : $0 }
      return NamedVolume(name: name, id: id, pool: pool)
    }
  }

  /// From a volume group's metadata: sections `NAME {`, fields `NAME = VALUE`. A thin volume's
  /// segment has the fields `device_id` and `thin_pool`.
  static func list(groupMetadata text: String) -> [NamedVolume] {
    var volumes: [NamedVolume] = []
    // The names of the sections that a line stands in.
    var path: [String] = []
    var pool: String?
    var id: UInt64?
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      guard let first = words.first else { continue }
      if words.last == "{" {
        path.append(String(first))
      } else if first == "}" {
        if let ended = path.popLast(), ended.hasPrefix("segment"), let name = path.last {
          if let id, let pool { volumes.append(NamedVolume(name: name, id: id, pool: pool)) }
          (pool, id) = (nil, nil)
        }
      } else if words.count == 3, words[1] == "=", path.contains("logical_volumes") {
        if first == "thin_pool" { pool = words[2].filter { $0 != "\"" } }
        if first == "device_id" { id = UInt64(words[2]) }
      }
    }
    return volumes
  }
}
