#: METADATA=4M DATA=2G
# The metadata device fails all writes of a commit, then works again: the kernel makes the pool read
# only and writes the needs_check flag.
size=$(sectors /dev/vda)
new md "$size linear /dev/vda 0"
metadata=/dev/mapper/md
pool || exit 1
thin_new 0 $GiB; write_blocks 0 0 100
commit; status
change md "$size flakey /dev/vda 0 0 3600 1 error_writes"
say "metadata device fails writes"
write_blocks 0 100 20
sleep 3
status
change md "$size linear /dev/vda 0"
say "metadata device works"
teardown
say "second activation"
pool
teardown
dmsetup remove md
