#: METADATA=4M DATA=1G THIRD=64M
# Metadata version 2 (dirty bitset), write-back, smq; taken down cleanly with dirty blocks left.
cache_new "2 metadata2 writeback" || exit 1
cache_use
cache_commit
dmsetup remove cache
