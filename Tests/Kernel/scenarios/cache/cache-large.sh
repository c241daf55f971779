#: METADATA=16M DATA=8G THIRD=4G TIMEOUT=600
# 131072 cache blocks of 32 KiB: the tree over the blocks of mappings has two levels.
block=64
cache_new "2 metadata2 writeback" || exit 1
cache_use
cache_write 20000 2000; cache_read 20000 2000; cache_write 20000 2000
sleep 2
dmsetup remove cache
