# How many data blocks does the kernel get back when it deletes some devices?
# vda = metadata (a copy, overwritten again and again), vdb = room to keep it as it was.
# $parameter_block, _blocks as in the superblock; _sets: the devices to delete, as in 1,2:3:1,4.
. /judge.sh

new zeroes "$((parameter_blocks * block)) zero"   # a data device of any size, without a disk
data=/dev/mapper/zeroes

used() {   # data blocks in use
  set -- $(dmsetup status pool)   # 0 length thin-pool transaction metadata data ...
  echo "${6%/*}"
}

copy_out
for set in $(echo "$parameter_sets" | tr : ' '); do
  dd if=/dev/vdb of=/dev/vda bs=64k conv=fsync 2>/dev/null
  pool || give_up "the pool does not activate"
  before=$(used)
  for id in $(echo "$set" | tr , ' '); do
    message "delete $id" || bad "device $id can't be deleted"
  done
  commit
  echo "@@FREED $set $((before - $(used)))"
  dmsetup remove pool
done
verdict
