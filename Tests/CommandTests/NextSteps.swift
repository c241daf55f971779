/// Commands that several messages end with.
enum NextSteps {
  /// How to have a pool looked for whose superblock is lost. `kib`: the size of the input.
  static func search(_ path: String, kib: Int) -> String {
    """
    A repair looks for the pool in the other blocks. It needs two numbers from LVM:
      dd if=\(path) of=COPY bs=1M
      lvs --noheadings --nosuffix --units s -o chunksize,transaction_id VG/POOL    (SECTORS and ID)
      thin_repair --dry-run -i COPY --data-block-size SECTORS --transaction-id ID
      lvcreate -L \(kib)K -n NEW VG
      thin_repair -i COPY -o /dev/VG/NEW --data-block-size SECTORS --transaction-id ID
      thin_check /dev/VG/NEW    (go on only if it is sound)
      lvchange -an VG/THIN1 VG/THIN2 VG/POOL VG/POOL_tmeta    (those that are active)
      lvconvert --swapmetadata --poolmetadata VG/NEW VG/POOL
      lvchange -ay VG/POOL    (then its volumes)
    VG/NEW then holds the old metadata: keep it until your data is checked.

    """
  }
}
