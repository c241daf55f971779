# Makes a cache with dirty blocks; vda, vdb and vdc are metadata, origin and fast device.
# $parameter_features as in the target's line; $parameter_crash: the machine ends in the midst.
# vdd: gets what the cache device reads as, before that.
. /judge.sh

# stamp FIRST COUNT WORD: every sector says which block it is of, and when that was written.
stamp() {
  local b
  for b in $(seq "$1" $(($1 + $2 - 1))); do
    yes "$3 $b" | dd of=/dev/mapper/cache bs=64k seek="$b" count=1 iflag=fullblock oflag=direct \
      conv=notrunc 2>/dev/null || give_up "cannot write block $b"
  done
}

cache_new "$parameter_features" || give_up "the cache does not activate"
cache_write 0 300
# Which blocks it takes, and when, the kernel decides; on a slow machine it needs more rounds.
for round in $(seq 20); do
  cache_write 100 300
  cache_read 100 300
  cached=$(dmsetup status cache | awk '{sub("/.*", "", $7); print $7}')
  [ "$round" -lt 3 ] || [ "$cached" -lt 400 ] || break
done
sleep 2
dmsetup message cache 0 migration_threshold 0   # from here on nothing is written back
stamp 100 120 first
stamp 700 5 third
cache_flush
stamp 180 40 second   # where these go is on stable storage, even if they are flushed no more
status
dd if=/dev/mapper/cache of=/dev/vdd bs=1M conv=notrunc,fsync 2>/dev/null || bad "cannot read"
sync
[ -z "$parameter_crash" ] || { verdict; crash; }
dmsetup suspend cache
dmsetup resume cache
status
dmsetup remove cache
sync
verdict
