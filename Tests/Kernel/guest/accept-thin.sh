# Does the kernel take this pool, and can it go on working with it?
# vda = metadata (a copy), vdb = room for the metadata as it is after the work.
# $parameter_block, _blocks, _used, _transaction, _ids=1,2,3 as in the superblock; _strict: wrong
# counts of metadata blocks are a fault, not a remark; _keep: nothing is deleted in the end.
. /judge.sh

ids=$(echo "$parameter_ids" | tr , ' ')
worked=48                                     # so many devices are worked on; others only activated
read_whole=8                                  # so many are read a good way through
virtual=$(((1 << 36) / block * block))        # sectors of every thin device: 32 TiB
new zeroes "$((parameter_blocks * block)) zero"   # a data device of any size, without a disk
data=/dev/mapper/zeroes

remark() { if [ -n "$parameter_strict" ]; then bad "$@"; else say "REMARK: $*"; fi; }

# check_pool WHEN: the pool's state; sets $transaction, $metadata_used, $data_used, $held_root.
check_pool() {
  local when=$1 line
  line=$(dmsetup status pool)
  say "$when: $line"
  set -- $line   # 0 length thin-pool transaction metadata data held mode discard full needs_check
  case "$4" in Fail | Error) bad "$when: the pool is in state $4"; return 1 ;; esac
  [ "$8" = rw ] || bad "$when: the pool's mode is $8"
  case " $line " in *" needs_check "*) bad "$when: needs_check is set" ;; esac
  transaction=$4 metadata_used=${5%/*} data_used=${6%/*} held_root=$7
}

# read_mapped ID: sets $mapped to the count of its blocks, $highest to the highest one.
read_mapped() {
  mapped=0 highest=0
  set -- $(dmsetup status "thin$1")
  case $4 in Fail | Error | '') bad "a thin device says: $*"; return 1 ;; esac
  mapped=$(($4 / block))
  [ "$5" = - ] || highest=$(($5 / block))
}

write_one() {   # ID BLOCK
  dd if=/dev/zero of="/dev/mapper/thin$1" bs=4k seek=$(($2 * block / 8)) count=1 \
    conv=notrunc,fsync oflag=direct 2>/dev/null || bad "device $1: cannot write block $2"
}
read_one() {    # ID BLOCK
  dd if="/dev/mapper/thin$1" of=/dev/null bs=4k skip=$(($2 * block / 8)) count=1 \
    iflag=direct 2>/dev/null || bad "device $1: cannot read block $2"
}

# Reads, overwrites, and writes to new blocks, of which the counts must tell.
work_on() {
  read_mapped "$1"
  local before=$mapped end=$highest added=2
  [ $before != 0 ] || added=3   # then the "highest" block is new as well
  read_one "$1" 0; read_one "$1" $end
  write_one "$1" $end; write_one "$1" $((end + 3)); write_one "$1" $((end + 1000000))
  read_mapped "$1"
  [ $((mapped - before)) = $added ] || bad "device $1: $before blocks mapped, then $mapped"
}

# Shares device $1 with a new one, $2, breaks the sharing, and discards.
work_on_snapshot() {
  snapshot "$2" "$1" $virtual || bad "cannot take a snapshot of $1"
  read_mapped "$1"
  local before=$mapped end=$highest used
  check_pool "snapshot taken"; used=$data_used
  write_one "$2" $end; write_one "$1" 0
  check_pool "snapshot written to"
  [ "$data_used" -gt "$used" ] || bad "breaking sharing took no data block"
  read_mapped "$2"
  [ $mapped = $before ] || bad "the snapshot maps $mapped blocks, its origin $before"
  blkdiscard -o 0 -l $((64 * block * 512)) "/dev/mapper/thin$2" || bad "cannot discard"
}

first_life() {
  pool || give_up "the pool does not activate"
  check_pool start || give_up "the pool is of no use"
  [ "$transaction" = "$parameter_transaction" ] || bad "the kernel's transaction is $transaction"
  [ "$data_used" = "$parameter_used" ] || bad "the kernel counts $data_used data blocks in use"
  local id count=0 highest_id=0 first= last=
  for id in $ids; do
    thin_on "$id" $virtual || { bad "device $id does not activate"; continue; }
    count=$((count + 1)) last=$id
    first=${first:-$id}
    [ "$id" -le $highest_id ] || highest_id=$id
    [ $count -le $worked ] || { thin_off "$id"; continue; }
    work_on "$id"
    [ $count -gt $read_whole ] || dd if="/dev/mapper/thin$id" of=/dev/null bs=1M count=128 \
      iflag=direct 2>/dev/null || bad "device $id: cannot read"
  done
  extra=$((highest_id + 1))
  [ $extra -lt 16777216 ] || extra=16777000   # ids have 24 bits
  if [ -n "$first" ]; then
    work_on_snapshot "$first" $extra
  else
    thin_new $extra $virtual || bad "cannot create a device in the empty pool"
    write_one $extra 0; write_one $extra 77
  fi
  left="$ids $extra"
  if [ $count -gt 1 ]; then
    thin_delete "$last" || bad "cannot delete device $last"
    left=$(echo " $left " | sed "s/ $last / /")
  fi
  transaction "$transaction" $((transaction + 1)) || bad "cannot set the transaction id"
  commit || bad "cannot suspend and resume the pool"
  check_pool "after a commit"
  [ "$transaction" = $((parameter_transaction + 1)) ] || bad "the transaction is $transaction"
  teardown >/dev/null || bad "cannot take the pool down"
  copy_out
}

# Everything is deleted: all ref counts have to come down to zero, as in a new pool.
second_life() {
  local id emptied
  pool || give_up "the pool does not activate again"
  check_pool "second activation"
  [ "$held_root" = - ] || message release_metadata_snap || bad "cannot let the snapshot go"
  for id in $left; do message "delete $id" || bad "cannot delete device $id"; done
  commit
  check_pool "all deleted"
  [ "$data_used" = 0 ] || bad "with every device deleted, $data_used data blocks are in use"
  emptied=$metadata_used
  dmsetup remove pool
  dd if=/dev/zero of=/dev/vda bs=4k count=1 conv=notrunc 2>/dev/null; sync
  pool || give_up "a new pool does not activate"
  check_pool "new pool"
  dmsetup remove pool
  [ "$emptied" = "$metadata_used" ] ||
    remark "the emptied pool uses $emptied metadata blocks, a new one $metadata_used"
}

first_life
[ -n "$parameter_keep" ] || second_life
verdict
