#!/bin/bash
# lvm-test.sh INSTALLED
#
# LVM as user of the tools that `make install DESTDIR=INSTALLED PREFIX=/usr` installed: in the
# emulated machine it makes a pool, has it checked and repaired, and most of what README.md advises
# is done line by line; guest/lvm-*.sh say how. Between the boots, metadata is edited here, where
# there is more to do it with. On a disk of its own LVM makes a cache, and has that repaired.
# Fetches Debian's LVM, and doesn't install it.
#
# Status 0: all of it works. 1: something doesn't, or LVM can't be had. Leaves $RIG/out/lvm.txt.
set -euo pipefail
. "$(dirname "$0")/boot.sh"
[ $# = 1 ] || { echo "usage: lvm-test.sh INSTALLED" >&2; exit 2; }
installed=$(realpath "$1")
"$kernel_tests/build.sh"
work=$(mktemp -d "$RIG/lvm.XXXXXX")
trap 'rm -rf "$work"' EXIT

# LVM, and those of its libraries that a small Debian may lack.
packages="lvm2 libdevmapper-event1.02.1 libaio1 libedit2 libbsd0 libmd0"
download() { (cd "$work" && apt-get -qq -o APT::Sandbox::User= download $packages); }
download 2>/dev/null || { as_root apt-get -qq update; download; }
for package in "$work"/*.deb; do dpkg -x "$package" "$work/unpacked"; done

# The guest's files: LVM with its libraries, the tools, and LVM's settings for a machine without
# udev or daemons.
tree=$work/tree
mkdir -p "$tree"/{sbin,usr/sbin,etc/lvm,run/lvm,run/lock/lvm}
cp -P "$work"/unpacked/sbin/* "$tree/sbin"
copy_libraries "$tree/sbin/lvm" "$tree" "$work/unpacked"
cp -P "$installed"/usr/sbin/* "$tree/usr/sbin"
cat > "$tree/etc/lvm/lvm.conf" <<'END'
devices { obtain_device_list_from_udev = 0 }
activation { udev_sync = 0 udev_rules = 0 monitoring = 0 }
global { use_lvmpolld = 0 event_activation = 0 }
END
(cd "$tree" && find . | cpio -o -H newc --quiet -R 0:0) | gzip -1 > "$work/lvm.cpio.gz"

# stage NAME: boots the machine with guest/lvm-NAME.sh. Boots after the first one have the same
# disk, and get to know what the one before left: $left.
left=
stage() {
  local status=0 start=$SECONDS verdict
  ARCHIVE=$work/lvm.cpio.gz MEMORY=768 TIMEOUT=${TIMEOUT:-600} PARAMETERS=$left \
    boot "$work" "$kernel_tests/guest/lvm-$1.sh" "$work/disk" || status=$?
  cat "$work/output.txt" >> "$RIG/out/lvm.txt"
  left=$(sed -n 's/^@@LEFT //p' "$work/output.txt")

  grep -aE '^@@ FAULT' "$work/output.txt" | sed 's/^@@ /  /' || true
  verdict=$(sed -n 's/^@@VERDICT //p' "$work/output.txt")
  echo "lvm, $1: ${verdict:-no verdict, status $status}," \
    "$(grep -ac '^@@ \$' "$work/output.txt") commands ($((SECONDS - start)) s)"
  [ -n "$verdict" ] || last_words "$work"
  [ "$status $verdict" = "0 accepted" ]
}

# edit HOW...: breaks the pool's metadata, which lies on the disk in one piece.
edit() {
  local how $left   # first=BLOCK count=BLOCKS ...
  dd if="$work/disk" of="$work/tmeta" bs=4096 skip="$first" count="$count" status=none
  for how; do "$kernel_tests/break-image.py" "$work/tmeta" "$work/tmeta" "$how"; done
  dd if="$work/tmeta" of="$work/disk" bs=4096 seek="$first" conv=notrunc status=none
}

truncate -s 400M "$work/disk"
: > "$RIG/out/lvm.txt"
stage recipes
edit data-count-high needs-check
stage leaks
edit needs-check
stage needs-check

rm "$work/disk"
truncate -s 400M "$work/disk"
left=
stage cache
