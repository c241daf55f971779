#: METADATA=2M DATA=1G THIRD=64M
# A new, unused write-through cache, metadata version 1.
cache_new "1 writethrough" || exit 1
status; table
dmsetup remove cache
