# Writes a cache back while a block of the origin fails. vda, vdb and vdc are metadata, origin and
# fast device. $parameter_bad is the origin block that fails.
. /judge.sh
harmless="$harmless|I/O error"

size=$(sectors /dev/vdb)
first=$((parameter_bad * block))
printf '%s\n' "0 $first linear /dev/vdb 0" "$first $block error" \
  "$((first + block)) $((size - first - block)) linear /dev/vdb $((first + block))" |
  dmsetup create origin || give_up "no device that fails"
dd if=/dev/zero of=/dev/mapper/origin bs=$((block * 512)) seek="$parameter_bad" count=1 \
  oflag=direct conv=notrunc 2>/dev/null && bad "block $parameter_bad does not fail"

status=0
/sbin/dmmeta cache_writeback --metadata-device /dev/vda --origin-device /dev/mapper/origin \
  --fast-device /dev/vdc --list-failed-blocks --retry-count 1 > /tmp/said 2>&1 || status=$?
sed 's/^/@@SAID /' /tmp/said
echo "@@ENDED $status"
sync
verdict
