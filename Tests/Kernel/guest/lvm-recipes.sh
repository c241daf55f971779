# LVM has a pool checked at each activation and repairs it, and most of what README.md advises is
# done line by line, with these names. What needs metadata with checksums made anew is left to
# further boots.
. /lvm.sh
volumes="vg/one vg/two vg/snap"
# A volume that is not there, and how the kernel takes that.
harmless="$harmless|open thin internal device|error adding target|Deletion of thin device"

# Little-endian numbers of four bytes in the copy.
number() { od -An -tu4 -j "$1" -N 4 /tmp/tmeta.copy | tr -d ' '; }

# lose BLOCK: zeroes it.
lose() {
  place
  try 0 dd if=/dev/zero of=/dev/vda bs=4096 seek=$((first + $1)) count=1 conv=notrunc,fsync
}

# Loses the root of the first device's tree, which the first entry of the list of devices names.
lose_tree() {
  local list
  copy
  list=$(($(number 320) * 4096))                               # superblock: data_mapping_root
  lose "$(number $((list + 32 + 8 * $(number $((list + 20))))))" # node: max_entries; values
}

say "A pool with a volume, a snapshot of it that went its own way, and another volume."
try 0 pvcreate /dev/vda
try 0 vgcreate vg /dev/vda
try 0 lvcreate -L 128M --poolmetadatasize 4M -T vg/pool
try 0 lvcreate -V 128M -T vg/pool -n one
fill vg/one 1 2400000
try 0 lvcreate -s -n snap vg/one
fill vg/one 9000000 9400000 100
try 0 lvcreate -V 64M -T vg/pool -n two
fill vg/two 5000000 6000000
active $volumes
before=$(contents)
[ "$(echo "$before" | tr , '\n' | sort -u | grep -c .)" = 3 ] || bad "no three volumes: $before"

say "Look at the metadata of a pool before it is activated, and at its data."
inactive
check 0
try 0 lvchange -y -ay vg/pool_tdata
try 0 dd if=/dev/mapper/vg-pool_tdata bs=65536 skip=3 count=1 of=/tmp/data
try 0 lvchange -an vg/pool_tdata

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

say "The superblock is lost."
inactive
lose 0
look
try 65 thin_check /dev/mapper/vg-pool_tmeta
says "block 0 is nothing but zeroes"
try 0 lvs --noheadings --nosuffix --units s -o chunksize,transaction_id vg/pool
set -- $(echo "$said" | tail -n 1)
try 0 lvchange -ay vg/fixed
try 0 thin_repair -i /dev/mapper/vg-pool_tmeta -o /dev/vg/fixed --data-block-size "$1" \
  --transaction-id "$2"
says "3 of 3 devices are whole"
look_away
swap
same "after the superblock was lost"

say "Transaction ids don't match: the pool gets metadata from before two volumes were made."
inactive
copy
try 0 lvcreate -V 64M -T vg/pool -n three
try 0 lvcreate -V 64M -T vg/pool -n four
try 0 lvchange -an vg/three vg/four vg/pool
try 0 lvchange -ay vg/fixed
try 0 dd if=/tmp/tmeta.copy of=/dev/vg/fixed bs=1M conv=fsync
swap
try fail lvchange -ay vg/pool
says "while expected"
try 0 lvs -o transaction_id vg/pool
wanted=$(echo "$said" | tail -n 1 | tr -d ' ')
look
try 0 thin_dump /dev/mapper/vg-pool_tmeta -o /tmp/pool.xml
look_away
# bring_to ID
bring_to() {
  try 0 lvchange -ay vg/fixed
  try 0 thin_restore -i /tmp/pool.xml -o /dev/vg/fixed --transaction-id "$1"
  swap
  try 0 lvchange -ay vg/pool
}
bring_to $((wanted - 1))   # LVM takes that, but can't go on
try fail lvcreate -V 64M -T vg/pool -n five
says "unexpected transaction id"
inactive
bring_to "$wanted"
same "after their transaction ids differed"
try fail lvchange -ay vg/three
try 0 lvremove -y vg/three vg/four
try 0 lvcreate -V 64M -T vg/pool -n five
try 0 lvremove -y vg/five

say "Look at a live pool, then dump and restore."
try 0 dmsetup message vg-pool-tpool 0 reserve_metadata_snap
try 0 thin_dump -m /dev/mapper/vg-pool_tmeta -o /tmp/pool.xml
try 0 dmsetup message vg-pool-tpool 0 release_metadata_snap
inactive
try 0 lvchange -ay vg/fixed
try 0 thin_restore -i /tmp/pool.xml -o /dev/vg/fixed
swap
same "after thin_restore"

say "Give free space back."
# data_on: the component that LVM lets nobody write to, once more under another name.
data_on() {
  look
  try 0 lvchange -y -ay vg/pool_tdata
  try 0 sh -c 'dmsetup table vg-pool_tdata | dmsetup create pool_data'
}
data_off() {
  try 0 dmsetup remove pool_data
  try 0 lvchange -an vg/pool_tdata
  look_away
}
inactive
data_on
try 73 thin_trim --metadata-dev /dev/mapper/vg-pool_tmeta --data-dev /dev/mapper/vg-pool_tdata
says "read-only"
try 0 thin_trim --dry-run --metadata-dev /dev/mapper/vg-pool_tmeta --data-dev /dev/mapper/pool_data
says "would discard"
try 0 thin_trim --metadata-dev /dev/mapper/vg-pool_tmeta --data-dev /dev/mapper/pool_data
says "discarded"
data_off
same "after thin_trim"

say "Put volumes together."
inactive
data_on
try 0 lvchange -ay vg/fixed
try 0 thin_shrink --defragment --dry-run -i /dev/mapper/vg-pool_tmeta --data /dev/mapper/pool_data
says "all devices"
try 0 thin_shrink --defragment -i /dev/mapper/vg-pool_tmeta -o /dev/vg/fixed \
  --data /dev/mapper/pool_data
says "moved"
data_off
swap
same "after thin_shrink --defragment"

say "A pool that was made smaller gets back what its volume has."
inactive
data_on
blocks=$(($(dmsetup table pool_data | awk '{s += $2} END {print s}') / 128))
try 0 lvchange -ay vg/fixed
try 0 thin_shrink --binary --nr-blocks $((blocks / 2)) -i /dev/mapper/vg-pool_tmeta \
  -o /dev/vg/fixed --data /dev/mapper/pool_data
says "the pool has $((blocks / 2)) blocks"
data_off
swap
same "after thin_shrink"
kernel_says "growing the data device from $((blocks / 2)) to $blocks blocks"
try fail lvreduce -y -L 64M vg/pool

say "What would deleting free, and what has changed?"
active $volumes
try 0 sh -c 'lvs -o lv_name,thin_id -S pool_lv=pool vg > /tmp/names'
try 0 dmsetup message vg-pool-tpool 0 reserve_metadata_snap
try 0 thin_ls -m --names /tmp/names -o DEV,NAME,MAPPED,EXCLUSIVE,SHARED \
  /dev/mapper/vg-pool_tmeta
says " snap "
try 0 thin_ls -m --names /tmp/names --free-if-deleted one,snap /dev/mapper/vg-pool_tmeta
says "come free"
ids=$(sed -n 's/^ *\(one\|snap\) *\([0-9]*\)$/\2/p' /tmp/names | tr '\n' ' ')
set -- $ids
try 0 thin_delta -m --snap1 "$1" --snap2 "$2" --skip-same /dev/mapper/vg-pool_tmeta
says '<different begin="100"'   # where the snapshot was written to
try 0 dmsetup message vg-pool-tpool 0 release_metadata_snap
inactive

say "Which volume has the bad sector?"
copy
try 0 lvchange -y -ay vg/pool_tdata
try 0 dd if=/dev/mapper/vg-pool_tdata bs=512 skip=384 count=128 of=/tmp/data
try 0 lvchange -an vg/pool_tdata
try 0 thin_rmap --names /tmp/names --byte-offset 384s /tmp/tmeta.copy
set -- $(echo "$said" | sed -n 's/^byte 196608 -> thin([0-9]*) byte \([0-9]*\) \(.*\)$/\1 \2/p')
[ $# -ge 2 ] || bad "no volume is named"
active $volumes
try 0 dd if="/dev/vg/$2" bs=512 skip=$(($1 / 512)) count=128 of=/tmp/found
[ "$(md5sum < /tmp/data)" = "$(md5sum < /tmp/found)" ] || bad "vg/$2 has something else there"
inactive

say "Send broken metadata to somebody."
try 0 cp /tmp/tmeta.copy /tmp/broken
try 0 dd if=/dev/urandom of=/tmp/broken bs=4096 seek="$(number 320)" count=1 conv=notrunc
try 1 thin_check /tmp/broken
broken=$(echo "$said" | grep '^error')
try 0 thin_metadata_pack --include-damaged -i /tmp/broken -o /tmp/pool.pack
try 0 thin_metadata_unpack -i /tmp/pool.pack -o /tmp/pool.img
try 0 cmp /tmp/broken /tmp/pool.img
try 0 lvchange -ay vg/fixed
try 0 thin_metadata_unpack --force -i /tmp/pool.pack -o /dev/vg/fixed
try 1 thin_check /dev/vg/fixed
[ "$(echo "$said" | grep '^error')" = "$broken" ] || bad "what was unpacked is broken otherwise"
try 0 lvchange -an vg/fixed
rm /tmp/broken /tmp/pool.img

say "A volume was deleted by mistake."
active $volumes
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

active $volumes
[ "$(contents)" = "$kept" ] || bad "in the end the volumes differ"
before=$kept
leave
