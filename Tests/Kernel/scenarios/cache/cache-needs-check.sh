#: METADATA=4M DATA=1G THIRD=64M
# All that is to be written while the cache is suspended fails, then the metadata device works again:
# the kernel makes the cache read only and writes the needs_check flag. It activates such a cache no
# more.
size=$(sectors /dev/vda)
new md "$size linear /dev/vda 0"
metadata=/dev/mapper/md
cache_new "2 metadata2 writeback" || exit 1
cache_use
cache_commit
cache_write 0 300
change md "$size flakey /dev/vda 0 0 3600 1 error_writes"
say "metadata device fails writes"
dmsetup suspend cache
status
change md "$size linear /dev/vda 0"
say "metadata device works"
dmsetup resume cache
status
dmsetup remove cache
say "second activation"
cache_new "2 metadata2 writeback"
status
dmsetup remove cache
dmsetup remove md
