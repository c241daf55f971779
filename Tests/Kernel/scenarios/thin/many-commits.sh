#: METADATA=512K DATA=256M THIRD=30M STATES=1 TIMEOUT=900
# The kernel goes round a small metadata device several times: sixty turns, in which volumes and
# snapshots come, are written to, discarded, and go, with an activation after every ninth. The
# metadata after each turn is kept.
size=131072
ids=
new_id=0

pick() {   # NUMBER: sets $picked to one of the volumes.
  set -- $(($1 % $(echo $ids | wc -w))) $ids
  shift $(($1 + 1))
  picked=$1
}
without() { local id; for id in $ids; do [ "$id" = "$1" ] || echo "$id"; done; }

# act WHAT WHICH WHERE COUNT: numbers below 1000 that decide what is done.
act() {
  local count
  count=$(echo $ids | wc -w)
  if [ "$count" = 0 ] || [ "$1" -lt 80 ] && [ "$count" -lt 5 ]; then
    thin_new $new_id $size && ids="$ids $new_id"
    new_id=$((new_id + 1))
    return
  fi
  pick "$2"
  if [ "$1" -lt 200 ] && [ "$count" -lt 5 ]; then
    snapshot $new_id "$picked" $size && ids="$ids $new_id"
    new_id=$((new_id + 1))
  elif [ "$1" -lt 300 ] && [ "$count" -gt 1 ]; then
    thin_delete "$picked"
    ids=$(without "$picked")
  elif [ "$1" -lt 450 ]; then
    discard "$picked" $(($3 % 960)) $(($4 % 60 + 1))
  elif [ "$1" -lt 600 ]; then
    write_blocks "$picked" $(($3 % 960)) $(($4 % 60 + 1))
  else
    write_random "$picked" "$3" $(($4 % 8 + 1)) 1000
  fi
}

pool
turn=0
while [ $turn -lt 60 ]; do
  set -- $(random $((turn + 1)) 12 1000)
  act "$1" "$2" "$3" "$4"
  [ $((turn % 3)) = 0 ] || act "$5" "$6" "$7" "$8"
  [ $((turn % 3)) != 1 ] || act "$9" "${10}" "${11}" "${12}"
  commit
  dd if=$metadata of=/dev/vdc bs=512k seek=$turn count=1 iflag=direct oflag=direct conv=notrunc
  turn=$((turn + 1))
  [ $((turn % 9)) = 0 ] || continue
  for id in $ids; do thin_off "$id"; done
  dmsetup remove pool
  pool
  for id in $ids; do thin_on "$id" $size; done
done
teardown
