#: METADATA=4M DATA=4G
# 36 snapshots of one device: even ones of the device, odd ones each of the odd one before it. Every
# one differs in a few blocks, so most leaves are shared by most devices.
pool || exit 1
thin_new 0 $GiB; write_blocks 0 0 2000
previous=0
n=1
while [ $n -le 36 ]; do
  if [ $((n % 2)) = 1 ]; then
    snapshot $n $previous $GiB; previous=$n
  else
    snapshot $n 0 $GiB
  fi
  write_random $n $n 3 2000
  [ $((n % 6)) != 0 ] || discard $n $((n * 20)) 8
  [ $((n % 4)) != 0 ] || write_4k 0 $((n * 50))
  thin_off $n
  n=$((n + 1))
done
transaction 0 36
teardown
