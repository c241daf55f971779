#: METADATA=4M DATA=4G
# A file system's life: files made and removed, fstrim, and snapshots in between.
pool || exit 1
thin_new 0 $((2 * GiB))
mke2fs /dev/mapper/thin0 >/dev/null 2>&1
mount -t ext4 -o discard /dev/mapper/thin0 /mnt || exit 2
for round in 1 2 3; do
  for file in $(seq 1 40); do
    dd if=/dev/zero of=/mnt/$round.$file bs=4k count=$(((file * 37 + round * 11) % 90 + 1)) \
      2>/dev/null
  done
  sync
  message "create_snap $round 0"
  for file in $(seq 1 3 40); do rm /mnt/$round.$file; done
  sync
  fstrim /mnt
done
umount /mnt
transaction 0 3
teardown
