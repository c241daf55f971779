# The words scenarios are written in (busybox's ash). Device "pool" is on vda (metadata) and vdb
# (data); thin device N is called thinN. Blocks are data blocks, sizes are in sectors.

metadata=/dev/vda
data=/dev/vdb
block=${parameter_block:-128}   # sectors in a data block
GiB=2097152                     # in sectors

say() { echo "@@ $*"; }
status() { dmsetup status --noflush 2>&1 | sed 's/^/@@STATUS /'; }
table() { dmsetup table 2>&1 | sed 's/^/@@TABLE /'; }

# random SEED COUNT LIMIT: so many repeatable numbers below the limit.
random() { awk -v s="$1" -v n="$2" -v m="$3" 'BEGIN {srand(s); while (n--) print int(rand()*m)}'; }

sectors() {
  case $1 in
    /dev/mapper/*) dmsetup table "${1##*/}" | awk '{s += $2} END {print s}' ;;
    *) cat "/sys/class/block/${1##*/}/size" ;;
  esac
}

# new DEVICE TARGET...: a device of one target, as long as the rest of the table says.
new() { local name=$1; shift; echo "0 $*" | dmsetup create "$name"; }

# change DEVICE TARGET...: replaces its table.
change() {
  local name=$1; shift
  dmsetup suspend "$name"
  echo "0 $*" | dmsetup load "$name"
  dmsetup resume "$name"
}

# --- thin

# pool_target [FEATURE...]; $pool_sectors makes it smaller than the data device.
pool_target() {
  echo "${pool_sectors:-$(sectors "$data")} thin-pool $metadata $data $block 0 $# $*"
}
pool() {
  local target; target=$(pool_target "$@")
  say "pool: $target"
  new pool "$target"
}
message() { dmsetup message pool 0 "$@" || { say "message failed: $*"; return 1; }; }
transaction() { message "set_transaction_id $1 $2"; }
commit() { dmsetup suspend pool && dmsetup resume pool; }

thin_on() { new "thin$1" "$2 thin /dev/mapper/pool $1${3:+ $3}"; }   # ID SIZE [EXTERNAL-ORIGIN]
thin_new() { message "create_thin $1" && thin_on "$@"; }
thin_off() { dmsetup remove "thin$1"; }
thin_delete() { ! thin_is_on "$1" || thin_off "$1"; message "delete $1"; }
thin_is_on() { dmsetup info "thin$1" >/dev/null 2>&1; }

# snapshot NEW OF [SIZE [EXTERNAL-ORIGIN]]: with a size, it is activated as well.
snapshot() {
  local active=
  thin_is_on "$2" && active=1
  [ -z "$active" ] || dmsetup suspend "thin$2"
  message "create_snap $1 $2"; local result=$?
  [ -z "$active" ] || dmsetup resume "thin$2"
  [ $result = 0 ] || return $result
  [ -z "$3" ] || thin_on "$1" "$3" $4
}

# write_to PATH UNIT-BYTES FIRST COUNT, past the guest's cache.
write_to() {
  dd if=/dev/zero of="$1" bs="$2" seek="$3" count="$4" conv=notrunc oflag=direct 2>/dev/null
}
write_blocks() { write_to "/dev/mapper/thin$1" $((block * 512)) "$2" "${3:-1}"; } # ID FIRST [COUNT]
write_4k() { write_to "/dev/mapper/thin$1" 4k $(($2 * block / 8)) 1; }            # ID BLOCK
write_random() { local b; for b in $(random "$2" "$3" "$4"); do write_4k "$1" "$b"; done; }
discard() {                                                                       # ID FIRST COUNT
  blkdiscard -o $(($2 * block * 512)) -l $(($3 * block * 512)) "/dev/mapper/thin$1"
}

# Removes every thin device, then the pool.
teardown() {
  status
  table
  local device
  for device in $(dmsetup ls | awk '/^thin/ {print $1}'); do dmsetup remove "$device"; done
  dmsetup remove pool
}

# miscount: what makes kernels with the fault of CVE-2026-46107 count data blocks too low. The root
# of device 0's tree, shared with snapshot 1, comes down to one entry and gives way to its child,
# which the snapshot shares too. Then device 0 is written to, and a new device 2 as far as there is
# room; of data that snapshot 1 maps nothing may have changed.
miscount() {
  thin_new 0 $GiB
  local before after
  # Each block says what it is. The tree's second leaf gets few enough entries that a discard takes
  # the last ones without merging leaves.
  local i=0
  while [ $i -lt 300 ]; do
    echo "block $i of the origin" | write_text 0 $i
    i=$((i + 1))
  done
  commit
  discard 0 10 131; commit
  status
  snapshot 1 0 $GiB; commit
  before=$(checksum 1)
  discard 0 0 1; commit
  status
  write_blocks 0 160 100; commit
  thin_new 2 $GiB
  i=0
  while [ $i -lt 120 ]; do
    echo "block $i of volume 2" | write_text 2 $i || break
    i=$((i + 1))
  done
  commit
  status
  after=$(checksum 1)
  if [ "$before" = "$after" ]; then say "the snapshot is as it was"; else
    say "the snapshot has changed"
    dd if=/dev/mapper/thin1 bs=64k count=300 iflag=direct 2>/dev/null | strings |
      grep -E '^block [0-9]+ of' | sed 's/^/@@ the snapshot reads: /'
  fi
}
write_text() { dd of="/dev/mapper/thin$1" bs=64k seek="$2" conv=notrunc,sync oflag=direct 2>/dev/null; }
checksum() { dd if="/dev/mapper/thin$1" bs=64k count=300 iflag=direct 2>/dev/null | md5sum; }

# Ends the machine at once, without another commit.
crash() {
  say crash
  sleep 0.2
  crash_now
}
crash_now() {
  echo 1 >/proc/sys/kernel/sysrq
  echo b >/proc/sysrq-trigger
  sleep 60
}

# --- cache: vda metadata, vdb origin, vdc fast device, unless these say otherwise

origin=/dev/vdb
fast=/dev/vdc

cache_target() {   # FEATURES, as in the target's line: "1 writeback"
  echo "$(sectors "$origin") cache $metadata $fast $origin $block $1 smq 0"
}
cache_new() { new cache "$(cache_target "$1")"; }
cache_write() { write_to /dev/mapper/cache 64k "$1" "$2"; }
cache_read() {
  dd if=/dev/mapper/cache of=/dev/null bs=64k skip="$1" count="$2" iflag=direct 2>/dev/null
}
cache_discard() { blkdiscard -o $(($1 * 65536)) -l $(($2 * 65536)) /dev/mapper/cache; }
# What was written is on stable storage, and so is where it went.
cache_flush() {
  dd if=/dev/mapper/cache of=/tmp/first bs=64k count=1 2>/dev/null
  dd if=/tmp/first of=/dev/mapper/cache bs=64k conv=notrunc,fsync 2>/dev/null
}
# Dirty bits, hints and discards are written, and the metadata counts as closed in order.
cache_commit() { dmsetup suspend cache; dmsetup resume cache; status; }

# Fills a cache until blocks stay, then makes some of them dirty and stops cleaning.
cache_use() {
  cache_write 0 300
  local b
  for b in 1 2 3; do cache_write 100 200; cache_read 100 200; cache_write 5000 100; done
  sleep 2
  for b in $(random 3 60 16384); do cache_write "$b" 1; done
  status
  dmsetup message cache 0 migration_threshold 0
  cache_write 150 60
  cache_write 5010 30
  status
  table
}

# The end of a life that is cut off: hints and dirty bits are written, then grow old.
cache_crash() {
  dmsetup message cache 0 migration_threshold 2048
  cache_commit
  cache_write 9000 100; cache_write 9000 100; cache_write 9100 20
  sync
  cache_write 105 10
  status
  crash
}

# --- era: vda metadata, vdb origin, unless $metadata and $origin say otherwise

era_new() { new era "$(sectors "$origin") era $metadata $origin $block"; }
era_write() { write_to /dev/mapper/era 64k "$1" "$2"; }
era_message() { dmsetup message era 0 "$1"; }
