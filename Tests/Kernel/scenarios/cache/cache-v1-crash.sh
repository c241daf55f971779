#: METADATA=4M DATA=1G THIRD=64M ENDS=crash
# Metadata version 1, write-back; the machine crashes with dirty blocks.
cache_new "1 writeback" || exit 1
cache_use
cache_crash
