import Foundation
import PersistentData
import TestSupport
import Testing

/// What lies on what, as a /sys made up for the test tells it.
@Suite struct StorageTests {
  private let scratch: Scratch
  private var sysfs: String { scratch.folder.path }

  init() throws { scratch = try Scratch() }

  /// A device's folder; `files` by their paths in it.
  private func device(_ number: String, _ files: [String: String] = [:]) throws {
    let folder = scratch.folder.appendingPathComponent("devices/\(number)")
    let all = files.merging(["dev": number]) { own, _ in own }
    for (path, content) in all {
      let file = folder.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data((content + "\n").utf8).write(to: file)
    }
    try link(number, to: folder)
  }

  private func link(_ number: String, to folder: URL) throws {
    let links = scratch.folder.appendingPathComponent("dev/block")
    try FileManager.default.createDirectory(at: links, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      at: links.appendingPathComponent(number), withDestinationURL: folder)
  }

  /// A partition of a disk that is there; in sectors.
  private func partition(_ number: String, of disk: String, from start: Int, size: Int) throws {
    let folder = scratch.folder.appendingPathComponent("devices/\(disk)/part\(start)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, content) in [
      ("partition", "1"), ("start", "\(start)"), ("size", "\(size)"), ("dev", number),
    ] {
      try Data((content + "\n").utf8).write(to: folder.appendingPathComponent(name))
    }
    try link(number, to: folder)
  }

  private func areSame(_ one: String, _ other: String) throws -> Bool {
    let first = try #require(Storage(device: one, sysfs: sysfs))
    let second = try #require(Storage(device: other, sysfs: sysfs))
    #expect(first.overlaps(second) == second.overlaps(first))
    return first.overlaps(second)
  }

  @Test func `partitions lie on their disk, and beside each other`() throws {
    try device("8:0", ["size": "1000000"])
    try partition("8:1", of: "8:0", from: 2048, size: 2048)
    try partition("8:2", of: "8:0", from: 4096, size: 2048)
    try device("8:16", ["size": "1000000"])
    #expect(try areSame("8:0", "8:1") && areSame("8:0", "8:2") && areSame("8:1", "8:1"))
    #expect(try !areSame("8:1", "8:2") && !areSame("8:16", "8:1") && !areSame("8:16", "8:0"))
  }

  @Test func `loop devices of one file are the same where their parts meet`() throws {
    let file = try scratch.blank("image", bytes: 1 << 20)
    let other = try scratch.blank("other", bytes: 1 << 20)
    func loop(_ number: String, _ file: String, _ offset: Int, _ limit: Int) throws {
      try device(
        number,
        [
          "loop/backing_file": file, "loop/offset": "\(offset)", "loop/sizelimit": "\(limit)",
        ])
    }
    // Numbers of devices that this machine has not.
    try loop("4000:0", file, 0, 0)
    try loop("4000:1", file, 0, 0)
    try loop("4000:2", file, 65536, 65536)
    try loop("4000:3", file, 0, 65536)
    try loop("4000:4", other, 0, 0)
    try partition("4000:5", of: "4000:0", from: 64, size: 64)
    #expect(try areSame("4000:0", "4000:1") && areSame("4000:0", "4000:2"))
    #expect(try areSame("4000:5", "4000:1") && areSame("4000:5", "4000:3"))
    #expect(try !areSame("4000:2", "4000:3") && !areSame("4000:0", "4000:4"))
    #expect(try !areSame("4000:5", "4000:2"))
  }

  @Test func `volumes of a group lie on its disks, and not on each other`() throws {
    try device("8:0", ["size": "1000000"])
    try device("8:16", ["size": "1000000"])
    let disk = ["slaves/sda/dev": "8:0", "slaves/sda/size": "1000000"]
    func volume(_ number: String, _ files: [String: String]) throws {
      try device(number, files.merging(["dm/uuid": "LVM-x", "size": "8192"]) { own, _ in own })
    }
    try volume("253:0", disk)
    try volume("253:1", disk)
    try volume("253:2", ["slaves/dm-0/dev": "253:0", "slaves/dm-0/size": "8192"])
    #expect(try areSame("253:0", "8:0") && areSame("253:2", "8:0") && areSame("253:2", "253:0"))
    #expect(try !areSame("253:0", "253:1") && !areSame("253:2", "253:1"))
    #expect(try !areSame("253:0", "8:16"))
    // Two thin volumes, each as large as their pool.
    try volume("253:3", disk)
    let pool = ["slaves/dm-3/dev": "253:3", "slaves/dm-3/size": "8192"]
    try volume("253:4", pool)
    try volume("253:5", pool)
    #expect(try areSame("253:4", "253:3") && !areSame("253:4", "253:5"))
  }

  @Test func `mapped devices as large as the disk below are all of it`() throws {
    try device("8:0", ["size": "8192"])
    let disk = ["slaves/sda/dev": "8:0", "slaves/sda/size": "8192", "size": "8192"]
    try device("253:0", disk)
    try device("253:1", disk)
    try device("253:2", disk.merging(["size": "4096"]) { _, new in new })
    #expect(try areSame("253:0", "253:1") && areSame("253:0", "253:2"))
    #expect(try areSame("253:2", "8:0"))
  }

  @Test func `what lies on itself comes to an end`() throws {
    try device("253:0", ["slaves/dm-1/dev": "253:1"])
    try device("253:1", ["slaves/dm-0/dev": "253:0"])
    #expect(try areSame("253:0", "253:1"))
  }

  @Test func `what is not there is the same as nothing`() throws {
    let file = try scratch.blank("file", bytes: 1)
    #expect(Storage.areSame(file, file))
    #expect(!Storage.areSame(file, file + "2") && !Storage.areSame(file + "2", file + "2"))
    #expect(Storage(device: "sda", sysfs: sysfs) == nil)
  }
}
