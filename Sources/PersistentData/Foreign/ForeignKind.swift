/// Files and devices that aren't ours, by their words after "this is".
package enum ForeignKind: String, CaseIterable, Sendable {
  // Compressed files
  case gzip = "a gzip file"
  case bzip2 = "a bzip2 file"
  case xz = "an xz file"
  case zstd = "a zstd file"
  case lz4 = "an lz4 file"
  case lzip = "an lzip file"
  case lzop = "an lzop file"

  // Archives
  case tar = "a tar archive"
  case zip = "a zip archive"
  case cpio = "a cpio archive"
  case sevenZip = "a 7z archive"

  // Files for people and programs
  case elf = "a program or library (ELF)"
  case text = "text"
  case json = "JSON"
  case volumeGroupBackup = "a backup of a volume group's metadata, as vgcfgbackup makes it"

  // Disks of virtual machines
  case qcow2 = "a qcow2 disk image"
  case qed = "a QED disk image"
  case vmdk = "a VMware disk image (VMDK)"
  case vhd = "a Hyper-V disk image (VHD)"
  case vhdx = "a Hyper-V disk image (VHDX)"
  case vdi = "a VirtualBox disk image (VDI)"

  // What other block devices are made of
  case luks = "a LUKS volume"
  case lvm = "an LVM physical volume"
  case raid = "a member of an md RAID array"
  case vdo = "a VDO volume"
  case bcache = "a bcache device"
  case bitLocker = "a BitLocker volume"
  case stratis = "a Stratis block device"
  case writecache = "the cache of a dm-writecache device"
  case snapshot = "the exception store of a dm-snapshot device"
  case clone = "the metadata of a dm-clone device"
  case integrity = "a dm-integrity device"
  case verity = "the hashes of a dm-verity device"
  case zoned = "a dm-zoned device"
  case pcache = "the cache of a dm-pcache device"
  case raidMetadata = "the metadata of a dm-raid device (LVM's rmeta)"
  case mirrorLog = "the log of a dm-mirror device (LVM's mlog)"

  // File systems and the like
  case ext = "an ext2, ext3 or ext4 file system"
  case xfs = "an XFS file system"
  case btrfs = "a Btrfs file system"
  case bcachefs = "a bcachefs file system"
  case f2fs = "an F2FS file system"
  case jfs = "a JFS file system"
  case reiserfs = "a ReiserFS file system"
  case squashfs = "a squashfs file system"
  case iso9660 = "a CD image (ISO 9660)"
  case ntfs = "an NTFS file system"
  case exfat = "an exFAT file system"
  case fat = "a FAT file system"
  case swap = "swap space"
  case partitionTable = "a disk with a partition table"

  /// The command that unpacks it, if there is one.
  package var unpacker: String? {
    switch self {
    case .gzip: "gunzip"
    case .bzip2: "bunzip2"
    case .xz: "xz -d"
    case .zstd: "zstd -d"
    case .lz4: "lz4 -d"
    case .lzip: "lzip -d"
    case .lzop: "lzop -d"
    default: nil
    }
  }
}
