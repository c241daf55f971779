#: METADATA=4M DATA=4G ENDS=crash
# The machine crashes while large discards of shared and unshared ranges are going on; flushes
# meanwhile make for commits, so a part of what they did is in the metadata.
pool || exit 1
thin_new 0 $((2 * GiB)); write_to /dev/mapper/thin0 1M 0 1000
snapshot 1 0 $((2 * GiB)); write_blocks 1 0 200
thin_new 2 $GiB
commit; status
flush() { dd if=/dev/zero of=/dev/mapper/thin2 bs=4k count=1 conv=notrunc,fsync 2>/dev/null; }
(while :; do flush; done) &
discard 1 0 12000 & discard 0 4000 9000 &
usleep 900000
say crash
crash_now
