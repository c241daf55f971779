#!/bin/bash
# demo.sh DMMETA
#
# A pool that Linux made is damaged, looked at and repaired, to show what the tools do and say; then
# a cache. Every step is checked, down to each mapping; fails if one does not do what it should.
set -euo pipefail
[ $# = 1 ] || { echo "usage: demo.sh DMMETA" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
dmmeta=$(realpath "$1")
export PYTHONDONTWRITEBYTECODE=1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The tools by the names people know; they are links to the one program.
mkdir "$work/bin"
for tool in thin_{check,dump,repair} cache_{check,dump,repair}; do ln -s "$dmmeta" "$work/bin/$tool"; done
PATH=$work/bin:$PATH
cd "$work"

heading() { printf '\n== %s\n\n' "$*"; }
fail() { printf '\nThe demo failed: %s\n' "$*" >&2; exit 1; }
# expect STATUS COMMAND: shows a command, runs it, and sees how it ends.
expect() {
  local wanted=$1 status=0
  echo "\$ $2"
  bash -c "$2" 2>&1 || status=$?
  echo "[exit status $status]"
  [ $status = "$wanted" ] || fail "exit status $status instead of $wanted"
}

heading "1. A sound pool: its metadata as Linux left it"
xz -dc "$here/../../fixtures/kernel/thin/three-levels.img.xz" > pool.img
ls -sh pool.img
expect 0 "thin_check pool.img"
thin_dump --compat 0.9 pool.img > before.xml

heading "2. Damage: one leaf of mappings is zeroed, and one bit flips in another"
cp pool.img damaged.img
read -r zeroed flipped < <(python3 "$here/mappings.py" leaves pool.img)
expect 0 "dd if=/dev/zero of=damaged.img bs=4096 seek=$zeroed count=1 conv=notrunc status=none"
python3 "$here/mappings.py" flip damaged.img "$flipped"
echo "(flipped a bit in the middle of block $flipped)"
cp damaged.img evidence.img

heading "3. What thin_check says of it"
expect 1 "thin_check damaged.img"
thin_check damaged.img > findings.txt 2>&1 || true
for block in "$zeroed" "$flipped"; do
  grep -q "block $block[,:]" findings.txt || fail "block $block is not mentioned"
done

heading "4. Repair: new metadata from everything that can still be read"
expect 0 "truncate -s 16M repaired.img"
expect 0 "thin_repair -i damaged.img -o repaired.img"
cmp -s damaged.img evidence.img || fail "the damaged metadata was written to"

heading "5. The new metadata is sound"
expect 0 "thin_check repaired.img"

heading "6. Every mapping, compared with the pool before the damage"
thin_dump --compat 0.9 repaired.img > after.xml
python3 "$here/mappings.py" compare before.xml after.xml || fail "mappings came back wrong"

heading "7. A cache with dirty blocks loses the block that leads to all of its mappings"
xz -dc "$here/../../fixtures/kernel/cache/cache-v2.img.xz" > cache.img
cache_dump cache.img > cache-before.xml
root=$(od -An -t u8 -j 192 -N 8 cache.img | tr -d ' ')   # of the mappings, in the superblock
expect 0 "dd if=/dev/zero of=cache.img bs=4096 seek=$root count=1 conv=notrunc status=none"
expect 1 "cache_check cache.img"
expect 0 "truncate -s 4M mended.img"
expect 0 "cache_repair -i cache.img -o mended.img"
expect 0 "cache_check mended.img"
cache_dump mended.img | cmp - cache-before.xml || fail "the cache is not as it was"
echo
echo "Compared: every mapping is as it was, and what was dirty is dirty."
