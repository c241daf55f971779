#: METADATA=512K DATA=1G
# New devices, each with a tree of its own, use up the metadata device.
pool || exit 1
thin_new 0 $GiB; write_blocks 0 0 20
commit; status
i=1
while [ $i -lt 200 ]; do
  message "create_thin $i" || break
  i=$((i + 1))
done
status
write_blocks 0 100 20 &
sleep 2
kill $! 2>/dev/null
teardown
say "second activation"
pool
teardown
