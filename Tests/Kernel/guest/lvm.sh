# LVM as user of our tools: it has a pool checked at each activation and repairs it, and most of
# what README.md advises is done line by line, with these names. vda = the volume group.
. /judge.sh
export PATH=$PATH:/usr/sbin LVM_SUPPRESS_FD_WARNINGS=1

# try STATUS COMMAND...: it has to end so ("fail": not with 0). $said is what it said.
try() {
  local wanted=$1 status=0
  shift
  say "\$ $*"
  said=$("$@" 2>&1) || status=$?
  echo "$said" | sed 's/^/@@   /'
  case "$wanted $status" in
    "$status $status") ;;
    "fail 0") bad "'$*' did not fail" ;;
    "fail "*) ;;
    *) bad "'$*' ended with $status" ;;
  esac
}
says() { case "$said" in *"$1"*) ;; *) bad "'$1' was not said" ;; esac; }

volumes="vg/one vg/two vg/snap"
active() { for volume; do try 0 lvchange -ay -K "$volume"; done; }
inactive() { try 0 lvchange -an $volumes vg/pool; }
# The component alone, while the pool is inactive.
look() { try 0 lvchange -y -ay vg/pool_tmeta; }
look_away() { try 0 lvchange -an vg/pool_tmeta; }
copy() { look; try 0 dd if=/dev/mapper/vg-pool_tmeta of=/tmp/tmeta.copy bs=1M; look_away; }
swap() { try 0 lvconvert -y --swapmetadata --poolmetadata vg/fixed vg/pool; }

is_device() { [ -b "$1" ] || bad "$1 is no device"; }
fill() {
  is_device "/dev/$1"
  seq "$2" "$3" | dd of="/dev/$1" bs=64k seek="${4:-0}" conv=notrunc 2>/dev/null
  sync
}
content() { dd if="$1" bs=64k count="${2:-640}" 2>/dev/null | md5sum | cut -d' ' -f1; }
contents() { for volume in $volumes; do content "/dev/$volume"; done | tr '\n' ' '; }
# same WHEN: the volumes, which get activated, have to store what they did.
same() {
  active $volumes
  local now
  for volume in $volumes; do is_device "/dev/$volume"; done
  now=$(contents)
  [ "$now" = "$before" ] || bad "$1: the volumes have $now, not $before"
}

# Little-endian numbers of four bytes in the copy.
number() { od -An -tu4 -j "$1" -N 4 /tmp/tmeta.copy | tr -d ' '; }

# Zeroes the root of the first device's tree, which the first entry of the list of devices names.
lose_tree() {
  local first list
  copy
  look
  first=$(dmsetup table vg-pool_tmeta | awk '{print $5}')      # in sectors of vda
  look_away
  list=$(($(number 320) * 4096))                               # superblock: data_mapping_root
  tree=$(number $((list + 32 + 8 * $(number $((list + 20)))))) # node: max_entries; values
  try 0 dd if=/dev/zero of=/dev/vda bs=4096 seek=$((first / 8 + tree)) count=1 conv=notrunc,fsync
}

say "A pool with a volume, a snapshot of it that went its own way, and another volume."
try 0 pvcreate /dev/vda
try 0 vgcreate vg /dev/vda
try 0 lvcreate -L 128M --poolmetadatasize 4M -T vg/pool
try 0 lvcreate -V 128M -T vg/pool -n one
fill vg/one 1 4000000
try 0 lvcreate -s -n snap vg/one
fill vg/one 9000000 9400000 100
try 0 lvcreate -V 64M -T vg/pool -n two
fill vg/two 5000000 6000000
active $volumes
before=$(contents)
[ "$(echo "$before" | tr ' ' '\n' | sort -u | grep -c .)" = 3 ] || bad "no three volumes: $before"

say "Look at the metadata of a pool before it is activated."
inactive
look
try 0 thin_check /dev/mapper/vg-pool_tmeta
look_away

say "Repair through LVM."
lose_tree
try fail lvchange -ay vg/one
says "Manual repair required"
look
try 1 thin_check /dev/mapper/vg-pool_tmeta
says "lvconvert --repair VG/POOL"
try fail lvchange -ay vg/pool
look_away
try 0 lvconvert -y --repair vg/pool
says "3 of 3 devices are whole"
try 0 lvs -a -o lv_name vg
says pool_meta0
same "after lvconvert --repair"

say "Repair by hand."
inactive
lose_tree
try 0 lvs -a -o lv_name,lv_size vg
try 0 lvcreate -y -L 4M -n fixed vg
look
try 0 thin_repair -i /dev/mapper/vg-pool_tmeta -o /dev/vg/fixed
try 0 thin_check /dev/vg/fixed
look_away
swap
try 0 lvchange -ay vg/pool
same "after a repair by hand"

say "Look at a live pool, then dump and restore."
try 0 dmsetup message vg-pool-tpool 0 reserve_metadata_snap
try 0 thin_dump -m /dev/mapper/vg-pool_tmeta -o /tmp/pool.xml
try 0 dmsetup message vg-pool-tpool 0 release_metadata_snap
inactive
try 0 lvchange -ay vg/fixed
try 0 thin_restore -i /tmp/pool.xml -o /dev/vg/fixed
swap
same "after thin_restore"

say "A volume was deleted by mistake."
lost=$(content /dev/vg/two 100)
try 0 lvremove -y vg/two
volumes="vg/one vg/snap"
kept=$(contents)
inactive
copy
try 0 thin_roots /tmp/tmeta.copy
set -- $(echo "$said" | sed -n 's/.* --recover \([0-9]*\) --from \([0-9]*\) .*/\1 \2/p')
try 0 lvchange -ay vg/fixed
try 0 thin_roots -i /tmp/tmeta.copy --recover "$1" --from "$2" -o /dev/vg/fixed
next=$(echo "$said" | sed -n '/^ *dmsetup create/s/VG-POOL/vg-pool/p')
swap
try 0 lvchange -ay vg/pool
try 0 eval "$next"
[ "$(content /dev/mapper/recovered 100)" = "$lost" ] || bad "the recovered volume differs"
try 0 dmsetup remove recovered

say "Options that clear needs_check, and more room."
inactive
try 0 lvchange -ay --config 'global/thin_check_options=["-q","--clear-needs-check-flag"]' vg/pool
try 0 lvextend --poolmetadatasize +4M vg/pool
try 0 lvextend --size +32M vg/pool
active $volumes
[ "$(contents)" = "$kept" ] || bad "in the end the volumes differ"
inactive
verdict
