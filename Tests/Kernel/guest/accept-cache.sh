# Does the kernel take this cache's metadata, and can it go on working with it?
# vda = metadata (a copy), vdb = room for the metadata as it is after the work.
# $parameter_block, _blocks, _version, _policy as in the superblock; _origin: sectors; _mapped and
# _dirty: so many blocks are to be found, if given.
. /judge.sh

new origin "$parameter_origin zero"
new fast "$((parameter_blocks * block)) zero"
features="1 writeback"
[ "$parameter_version" != 2 ] || features="2 metadata2 writeback"

cache_on() {   # POLICY-ARGUMENTS
  new cache "$parameter_origin cache /dev/vda /dev/mapper/fast /dev/mapper/origin $block" \
    "$features $parameter_policy $1"
}
check_cache() {   # WHEN: sets $mapped, $dirty
  local line when=$1
  line=$(dmsetup status cache)
  say "$when: $line"
  case "$line " in
    *Fail* | *Error* | *needs_check* | *" ro "*) bad "$when: the cache's state is wrong" ;;
  esac
  set -- $line
  mapped=${7%/*}
  dirty=${14}
}
write_cache() {   # FIRST COUNT
  dd if=/dev/zero of=/dev/mapper/cache bs=$((block * 512)) seek="$1" count="$2" oflag=direct \
    conv=notrunc,fsync 2>/dev/null || bad "cannot write block $1"
}

cache_on "2 migration_threshold 0" || give_up "the cache does not activate"
check_cache start   # nothing migrates yet, so the counts are what was loaded
[ -z "$parameter_mapped" ] || [ "$mapped" = "$parameter_mapped" ] ||
  bad "the kernel loaded $mapped mappings"
[ -z "$parameter_dirty" ] || [ "$dirty" = "$parameter_dirty" ] ||
  bad "the kernel loaded $dirty dirty blocks"
dmsetup message cache 0 migration_threshold 2048
write_cache 0 40
dd if=/dev/mapper/cache of=/dev/null bs=1M count=64 iflag=direct 2>/dev/null || bad "cannot read"
for b in $(random 77 30 $((parameter_origin / block))); do write_cache "$b" 1; done
sleep 1
check_cache "worked on"
{ dmsetup suspend cache && dmsetup resume cache; } || bad "cannot suspend and resume"
check_cache "after a commit"
dmsetup remove cache || bad "cannot remove the cache"
copy_out
if cache_on 0; then
  check_cache "second activation"
  dmsetup remove cache
else
  bad "the cache does not activate again"
fi
verdict
