#: METADATA=4M DATA=4G THIRD=64M
# Cache blocks of 32 KiB, and discard blocks of 256 KiB: of a larger origin only whole ones of
# these are remembered.
block=64
cache_new "1 writeback" || exit 1
cache_discard 0 2000
cache_use
cache_discard 181 27; cache_discard 12001 3001; cache_discard 65532 4
status
dmsetup remove cache
