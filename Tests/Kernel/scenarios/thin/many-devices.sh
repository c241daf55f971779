#: METADATA=8M DATA=4G TIMEOUT=400
# 480 devices left of 600: the details tree and the top of the mapping tree have several leaves.
pool || exit 1
i=0
while [ $i -lt 600 ]; do
  message "create_thin $((i * 7))" || break
  i=$((i + 1))
done
for id in 0 70 700 4193; do thin_on $id $GiB; write_random $id $id 20 16384; done
i=3
while [ $i -lt 600 ]; do
  message "delete $((i * 7))"
  i=$((i + 5))
done
teardown
