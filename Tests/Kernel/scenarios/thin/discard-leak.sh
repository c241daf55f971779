#: METADATA=4M DATA=1G ENDS=crash
# The machine crashes during a discard. The data device takes 6 s to answer it; a commit meanwhile
# has removed the mappings but holds the blocks until the discard is done: they stay leaked.
size=$(sectors /dev/vdb)
new slow "$size linear /dev/vdb 0"
data=/dev/mapper/slow
pool || exit 1
thin_new 0 $GiB; write_blocks 0 0 1000
commit; status
dmsetup suspend pool
change slow "$size delay /dev/vdb 0 0 /dev/vdb 0 6000"
dmsetup resume pool
discard 0 100 300 &
sleep 3
status
crash
