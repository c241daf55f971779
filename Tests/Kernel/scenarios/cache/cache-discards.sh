#: METADATA=4M DATA=1G THIRD=64M
# Parts of the origin are discarded, cached ones too; a discard block is as large as a cache block.
cache_new "2 metadata2 writeback" || exit 1
cache_discard 0 2000
cache_use
cache_discard 180 20; cache_discard 12000 3001; cache_discard 16383 1
status
dmsetup remove cache
