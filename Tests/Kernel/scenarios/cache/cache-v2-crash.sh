#: METADATA=4M DATA=1G THIRD=64M ENDS=crash
# Metadata version 2 (dirty bitset), write-back; the machine crashes with dirty blocks.
cache_new "2 metadata2 writeback" || exit 1
cache_use
cache_crash
