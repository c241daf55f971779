#: METADATA=2M DATA=1G THIRD=64M
# A table was loaded, which formats the metadata, and dropped before it was ever resumed: the
# number of cache blocks isn't known yet.
dmsetup create cache --notable
echo "0 $(cache_target "2 metadata2 writeback")" | dmsetup load cache || exit 1
dmsetup info cache | sed 's/^/@@ /'
dmsetup remove cache
