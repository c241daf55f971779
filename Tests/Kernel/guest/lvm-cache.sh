# LVM makes a cache, has it checked at each activation, and repaired after it lost a block of its
# hints, of its dirty bits, and the one that leads to its mappings. vda = volume group "vg", on a
# disk of its own; the cached volume is "slow".
. /lvm.sh
volumes="vg/slow"
inactive() { try 0 lvchange -an vg/slow; }
meta=vg/fast_cpool_cmeta
device=/dev/mapper/vg-fast_cpool_cmeta
look() { try 0 lvchange -y -ay $meta; }
look_away() { try 0 lvchange -an $meta; }

# number BLOCK OFFSET [BYTES]: from the component.
number() {
  dd if=$device bs=4096 skip="$1" count=1 2>/dev/null | od -An "-tu${3:-8}" -j "$2" -N "${3:-8}" |
    tr -d ' '
}
# first_of NODE: what the first entry of a node refers to.
first_of() { number "$1" $((32 + 8 * $(number "$1" 20 4))); }

# lose WHAT: zeroes a block of the component, which is not in use.
lose() {
  local block
  look
  case $1 in
    "the root of the mappings") block=$(number 0 192) ;;
    "a block of hints") block=$(first_of "$(number 0 200)") ;;
    "a block of dirty bits") block=$(first_of "$(number 0 284)") ;;
  esac
  set -- $(dmsetup table vg-fast_cpool_cmeta) "$block"   # 0 SECTORS linear MAJOR:MINOR FIRST BLOCK
  [ "$#" = 6 ] && [ "$block" -gt 0 ] || bad "the component is not in one piece, or has no block"
  look_away
  try 0 dd if=/dev/zero of=/dev/vda bs=4096 seek=$(($5 / 8 + block)) count=1 conv=notrunc,fsync
}

say "A volume, and a cache of it in which some blocks are dirty."
try 0 pvcreate /dev/vda
try 0 vgcreate vg /dev/vda
try 0 lvcreate -y -L 64M -n slow vg
try 0 lvcreate -y --type cache-pool -L 16M --poolmetadatasize 8M --chunksize 64k -n fast vg
try 0 lvconvert -y --type cache --cachemode writeback --cachemetadataformat 2 \
  --cachepool vg/fast vg/slow
for round in 1 2 3; do fill vg/slow "$round" 900000; done
inactive
look
try 0 cache_check $device
look_away

# dirty_blocks: sets $dirty, the kernel's count.
dirty_blocks() {
  try 0 dmsetup status vg-slow
  set -- $said
  dirty=${14}
}

# make_dirty: writes numbers that only the cache gets, and closes it. Which blocks the cache takes,
# and when, the kernel decides, and on a slow machine it takes few at first: it gets more rounds.
first=10
make_dirty() {
  local round
  active vg/slow
  try 0 dmsetup message vg-slow 0 migration_threshold 0
  for round in $(seq 20); do
    fill vg/slow $((first += 1)) 700000
    dirty_blocks
    [ "$dirty" -le 30 ] || break
  done
  [ "$dirty" -gt 30 ] || bad "only $dirty blocks are dirty"
  before=$(contents)
  inactive
}

for what in "a block of hints" "a block of dirty bits" "the root of the mappings"; do
  say "The cache loses $what."
  make_dirty
  lose "$what"
  try fail lvchange -ay vg/slow
  says "Manual repair required"
  look
  try 1 cache_check $device
  look_away
  try 0 lvconvert -y --repair vg/fast_cpool
  same "after $what was lost"
  inactive
  look
  try 0 cache_check $device
  look_away
done
verdict
