# An era device or a cache works until the kernel has gone round the metadata device several times.
# vda = metadata, the last disk = room for 60 copies of it, one after each turn; vdb = origin, vdc =
# fast device of a cache. $parameter_kind, _reopen: turns after which the device is opened anew.
copies=/dev/$parameter_copies
bytes=$(($(sectors "$metadata") * 512))

open_era() { era_new; }
turn_era() {
  local b
  for b in $(random "$1" 5 16384); do era_write "$b" 1; done
  era_message checkpoint
  # The worker that puts the writeset into the array gets on with writes.
  era_write $(($1 * 100)) 1
  sleep 0.2
  era_write $(($1 * 100 + 1)) 1
}

open_cache() {
  cache_new "2 metadata2 writeback" && dmsetup message cache 0 migration_threshold 204800
}
turn_cache() {
  local b first
  first=$(random "$1" 1 15000)
  for b in 1 2 3; do cache_write "$first" 3; cache_read "$first" 3; done
  cache_write "$(random "$1" 1 16384)" 1
  cache_flush
}

"open_$parameter_kind" || exit 1
turn=0
while [ $turn -lt 60 ]; do
  "turn_$parameter_kind" $turn
  dd if="$metadata" of="$copies" bs=64k seek=$((turn * bytes / 65536)) iflag=direct oflag=direct \
    conv=notrunc 2>/dev/null
  turn=$((turn + 1))
  if [ $((turn % parameter_reopen)) = 0 ]; then
    dmsetup remove "$parameter_kind"
    "open_$parameter_kind" || exit 1
  fi
done
status
say worked
