#: METADATA=512K DATA=1G THIRD=30M STATES=1 TIMEOUT=900
# The kernel goes round a small metadata device several times: sixty turns, an era or two each, in
# which few blocks are written, with an activation after every third. The metadata after each turn is
# kept.
era_new || exit 1
turn=0
while [ $turn -lt 60 ]; do
  for b in $(random $turn 2 16384); do era_write "$b" 1; done
  era_message checkpoint
  # The worker that puts the writeset into the array gets on with writes.
  era_write $((turn * 100)) 1
  sleep 0.3
  era_write $((turn * 100 + 1)) 1
  dd if=$metadata of=/dev/vdc bs=512k seek=$turn count=1 iflag=direct oflag=direct conv=notrunc
  turn=$((turn + 1))
  [ $((turn % 3)) = 0 ] || continue
  dmsetup remove era
  era_new
done
dmsetup remove era
