#: METADATA=4M DATA=1G THIRD=96M
# A cache of 1400 blocks, none of them dirty, comes down to 1018: as many as fill two blocks of
# mappings. The kernel leaves the third one where it is, with mappings of blocks that are no more.
new fast "$((1400 * block)) linear /dev/vdc 0"
fast=/dev/mapper/fast
cache_new "1 writethrough" || exit 1
cache_write 0 300
for b in 1 2 3; do cache_write 0 1300; cache_read 0 1300; done
sleep 2
status
dmsetup remove cache
change fast "$((1018 * block)) linear /dev/vdc 0"
cache_new "1 writeback" || exit 1
status
cache_use
dmsetup remove cache
dmsetup remove fast
