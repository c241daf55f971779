# Has thin_trim work on a data device of which a part takes no discards. vda and vdb are metadata
# and data, $parameter_first and $parameter_count the blocks that fail.
. /judge.sh
harmless="$harmless|I/O error"

size=$(sectors /dev/vdb)
first=$((parameter_first * block)) count=$((parameter_count * block))
printf '%s\n' "0 $first linear /dev/vdb 0" \
  "$first $count flakey /dev/vdb $first 0 3600 1 error_writes" \
  "$((first + count)) $((size - first - count)) linear /dev/vdb $((first + count))" |
  dmsetup create data || give_up "no device that fails"

status=0
/sbin/dmmeta thin_trim --metadata-dev /dev/vda --data-dev /dev/mapper/data > /tmp/said 2>&1 ||
  status=$?
sed 's/^/@@SAID /' /tmp/said
echo "@@ENDED $status"
sync
verdict
