#: METADATA=4M DATA=2G TIMEOUT=400
# A file system's life over several activations: blocks freed in one are given out in the next.
pool no_discard_passdown || exit 1
thin_new 0 $((2 * GiB))
mke2fs /dev/mapper/thin0 >/dev/null 2>&1
for round in 1 2 3 4 5 6; do
  mount -t ext4 -o discard /dev/mapper/thin0 /mnt || exit 2
  for file in $(seq 1 40); do
    dd if=/dev/zero of=/mnt/$round.$file bs=4k count=$(((file * 37 + round * 11) % 90 + 1)) \
      2>/dev/null
  done
  sync
  for file in $(seq 1 3 40); do rm /mnt/$round.$file; done
  [ $round -le 2 ] || rm -f /mnt/$((round - 2)).*
  sync
  fstrim /mnt
  umount /mnt
  thin_off 0; dmsetup remove pool
  pool no_discard_passdown; thin_on 0 $((2 * GiB))
done
teardown
