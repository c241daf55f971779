#: METADATA=4M DATA=4G ENDS=crash
# The machine crashes right after large discards of shared and unshared ranges were sent.
pool || exit 1
thin_new 0 $((2 * GiB)); write_to /dev/mapper/thin0 1M 0 1000
snapshot 1 0 $((2 * GiB)); write_blocks 1 0 200
commit; status
discard 1 0 12000 & discard 0 4000 9000 &
usleep 450000
say crash
crash_now
