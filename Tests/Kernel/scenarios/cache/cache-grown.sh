#: METADATA=4M DATA=1G THIRD=256M
# A cache of 700 blocks is taken down with dirty blocks, and gets 3000: dirty bits go across the
# borders of blocks, and so do hints.
new fast "$((700 * block)) linear /dev/vdc 0"
fast=/dev/mapper/fast
cache_new "2 metadata2 writeback" || exit 1
cache_use
dmsetup remove cache
change fast "$((3000 * block)) linear /dev/vdc 0"
cache_new "2 metadata2 writeback" || exit 1
cache_write 7000 1500; cache_read 7000 1500; cache_write 7000 1500; cache_write 8000 900
sleep 2
cache_use
dmsetup remove cache
dmsetup remove fast
