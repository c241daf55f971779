#: METADATA=2M DATA=1G THIRD=64M ENDS=crash
# The machine crashes before the cache was ever suspended: dirty blocks, and no hints at all yet.
cache_new "2 metadata2 writeback" || exit 1
cache_use
cache_flush
status
crash
