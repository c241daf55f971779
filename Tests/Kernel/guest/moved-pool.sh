# Makes a pool whose volumes lie in pieces towards the end of the data device; vda and vdb are
# metadata and data. Every block says which it is.
. /judge.sh

fill() {   # ID FIRST COUNT WORD
  local b
  for b in $(seq "$2" $(($2 + $3 - 1))); do
    echo "block $b of volume $1, $4" | write_text "$1" "$b" || give_up "cannot write to volume $1"
  done
}

size=$((160 * block))
pool || give_up "the pool does not activate"
thin_new 9 $((400 * block))
thin_new 0 $size
thin_new 2 $size
write_blocks 9 0 120
for i in 0 1 2 3 4 5 6 7 8 9; do
  fill 0 $((i * 10)) 9 first
  fill 2 $((i * 7)) 6 first
  write_blocks 9 $((200 + i)) 1
done
snapshot 1 0 $size
fill 0 20 12 second
snapshot 3 2 $size
fill 3 5 9 third
thin_delete 9
commit
for id in 0 1 2 3; do echo "@@SUM $id $(checksum $id)"; done
teardown
sync
verdict
