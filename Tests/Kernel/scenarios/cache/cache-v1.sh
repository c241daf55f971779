#: METADATA=4M DATA=1G THIRD=64M
# Metadata version 1, write-back, smq; taken down cleanly with dirty blocks left.
cache_new "1 writeback" || exit 1
cache_use
cache_commit
dmsetup remove cache
