# The kernel's own view of every mapping. vda = metadata (a copy), vdb = data, whose blocks each
# begin with their number plus one, vdc = result. A device made of the first sector of every virtual
# block is read as one, so the result has a sector for each.
# $parameter_block, _blocks, _ids as in the superblock; _limit: as many blocks of each device.
. /judge.sh

harmless="$harmless|switching pool to read-only mode"
pool_sectors=$((parameter_blocks * block))
pool read_only || give_up "the pool does not activate"
offset=0
for id in $(echo "$parameter_ids" | tr , ' '); do
  thin_on "$id" $(((1 << 36) / block * block)) || { bad "device $id does not activate"; continue; }
  set -- $(dmsetup status "thin$id")
  mapped=$(($4 / block)) end=0
  [ "$5" = - ] || end=$(($5 / block + 1))
  probed=$end
  [ $probed -le "$parameter_limit" ] || probed=$parameter_limit
  if [ $probed -gt 0 ]; then
    awk -v n=$probed -v block="$block" -v device="/dev/mapper/thin$id" \
      'BEGIN {for (i = 0; i < n; i++) printf "%d 1 linear %s %d\n", i, device, i * block}' |
      dmsetup create probe || bad "device $id cannot be probed"
    dd if=/dev/mapper/probe bs=128k iflag=direct 2>/dev/null |
      dd of=/dev/vdc bs=512 seek=$offset conv=notrunc 2>/dev/null
    dmsetup remove probe
  fi
  echo "@@DEVICE $id $mapped $end $probed $offset"
  offset=$((offset + probed))
  dmsetup remove "thin$id"
done
dmsetup remove pool
sync
verdict
