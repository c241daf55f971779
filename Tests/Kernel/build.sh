#!/bin/bash
# build.sh
#
# Builds the virtual machine the scenarios run in, under $RIG (default .rig in the project's root),
# or below $RIG/kernels, for another kernel than this Debian's own:
#   vmlinuz        Debian's kernel; its package is unpacked, never installed
#   base.cpio.gz   initramfs: busybox, dmsetup with its libraries, and the kernel's modules
#   kernel         the kernel's version
# The scripts in guest/ are not part of it: boot.sh adds them to every run.
#
# KERNEL=PACKAGE[/SUITE] names another kernel: linux-image-6.1.0-47-amd64, or, from another suite,
# linux-image-amd64/bookworm-backports.
#
# Debian 12 on amd64, nothing but Debian packages; missing ones are installed with apt-get (as root,
# else with sudo). Does nothing when the machine is already there and this file is not newer.
set -euo pipefail
. "$(dirname "$0")/boot.sh"
. "$kernel_tests/suites.sh"

# In the order they are wanted; what they depend on goes before them.
modules="virtio_pci virtio_blk crc32c_generic crc32c-intel libcrc32c dm-mod dm-bufio
  dm-persistent-data dm-bio-prison dm-thin-pool dm-cache dm-cache-smq dm-era dm-flakey dm-delay
  dm-zero dm-log-writes dm-snapshot ext4"

update_once() {
  [ -z "${updated:-}" ] || return 0
  as_root apt-get -qq update
  updated=1
}

# Installs the packages whose command is missing.
install_missing() {
  local pair missing=()
  for pair in qemu-system-x86_64:qemu-system-x86 cpio:cpio dmsetup:dmsetup xz:xz-utils \
    python3:python3; do
    command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  # The guest has no libraries but dmsetup's, so an ordinary busybox is not enough.
  { command -v busybox && ! ldd "$(command -v busybox)"; } >/dev/null 2>&1 ||
    missing+=(busybox-static)
  [ ${#missing[@]} = 0 ] && return 0
  echo "installing ${missing[*]}"
  update_once
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# Downloads the image package, or the one behind the metapackage, whose name has the kernel's
# version in it.
download_kernel() {
  local package=${KERNEL:-linux-image-amd64} real
  package=${package%/*}
  real=$(apt-cache "${apt_options[@]}" depends "$package" 2>/dev/null |
    awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ {print $2; exit}')
  (cd "$work" && apt-get -qq "${apt_options[@]}" download "${real:-$package}")
}

unpack_kernel() {
  apt_options=(-o APT::Sandbox::User=root)
  case ${KERNEL:-} in
    */*) use_suite "${KERNEL#*/}" "$work/apt"; download_kernel ;;
    *) download_kernel 2>/dev/null || { update_once; download_kernel; } ;;
  esac
  dpkg -x "$work"/linux-image-*.deb "$work/package"
  # Where newer packages have their modules.
  [ -d "$work/package/lib" ] || ln -s usr/lib "$work/package/lib"
}

# add_module PATH: copies one module, below $library, unless it is already there.
add_module() {
  local name=${1##*/}
  name=${name%.xz}
  grep -qx "$name" "$tree/modules/order" && return 0
  case $1 in
    *.xz) xz -dc "$library/$1" > "$tree/modules/$name" ;;
    *) cp "$library/$1" "$tree/modules/$name" ;;
  esac
  echo "$name" >> "$tree/modules/order"
}

# add_with_dependencies "PATH: DEPENDENCY...", a line of modules.dep.
add_with_dependencies() {
  local dependency
  for dependency in ${1#*:}; do
    add_with_dependencies "$(grep -m 1 -F "$dependency:" "$library/modules.dep")"
  done
  add_module "${1%%:*}"
}

add_modules() {
  local module pattern line
  # The package has no modules.dep; installing it would have made one.
  [ -e "$library/modules.dep" ] || busybox depmod -b "$work/package" "$version"
  : > "$tree/modules/order"
  for module in $modules; do
    pattern="(^|/)${module//[-_]/[-_]}\.ko"
    line=$(grep -m 1 -E "$pattern(\.xz)?:" "$library/modules.dep" || true)
    if [ -n "$line" ]; then
      add_with_dependencies "$line"
    elif ! grep -qE "$pattern" "$library/modules.builtin"; then
      echo "this kernel has no module $module" >&2
    fi
  done
}

install_missing
if [ -e "$machine/base.cpio.gz" ] && [ ! "$kernel_tests/build.sh" -nt "$machine/base.cpio.gz" ]
then
  exit 0
fi

mkdir -p "$RIG/out"
work=$(mktemp -d "$RIG/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
unpack_kernel
vmlinuz=$(echo "$work"/package/boot/vmlinuz-*)
version=${vmlinuz##*/vmlinuz-}
library=$work/package/lib/modules/$version

tree=$work/tree
mkdir -p "$tree"/{bin,sbin,proc,sys,dev,tmp,mnt,modules}
cp "$(command -v busybox)" "$tree/bin/busybox"
dmsetup=$(command -v dmsetup)
cp -L "$dmsetup" "$tree/sbin/dmsetup"
copy_libraries "$dmsetup" "$tree"
add_modules

cp "$vmlinuz" "$machine/vmlinuz"
echo "$version" > "$machine/kernel"
(cd "$tree" && find . | cpio -o -H newc --quiet -R 0:0) | gzip > "$work/base.cpio.gz"
mv "$work/base.cpio.gz" "$machine/base.cpio.gz"   # last and at once: it says that all is there
echo "kernel $version, initramfs of $(stat -c %s "$machine/base.cpio.gz") bytes"
