# Has thin_shrink work on a data device of which one block fails. vda and vdb are metadata and data,
# $parameter_bad is the block, $parameter_blocks what the pool shall have.
. /judge.sh
harmless="$harmless|I/O error"

size=$(sectors /dev/vdb)
first=$((parameter_bad * block))
printf '%s\n' "0 $first linear /dev/vdb 0" "$first $block error" \
  "$((first + block)) $((size - first - block)) linear /dev/vdb $((first + block))" |
  dmsetup create data || give_up "no device that fails"

status=0
/sbin/dmmeta thin_shrink --binary -i /dev/vda -o /dev/vda --data /dev/mapper/data \
  --nr-blocks "$parameter_blocks" > /tmp/said 2>&1 || status=$?
sed 's/^/@@SAID /' /tmp/said
echo "@@ENDED $status"
sync
verdict
