#: METADATA=4M DATA=2G
# The metadata device fails reads and writes alike, for good: the pool fails, and what is there is
# the last commit, without a flag.
size=$(sectors /dev/vda)
new md "$size linear /dev/vda 0"
metadata=/dev/mapper/md
pool || exit 1
thin_new 0 $GiB; write_blocks 0 0 100
commit; status
change md "$size error"
write_blocks 0 100 20
sleep 3
status
change md "$size linear /dev/vda 0"
teardown
dmsetup remove md
