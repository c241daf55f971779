#!/bin/bash
# peers.sh [DIRECTORY]
#
# Fetches Debian's builds of thin-provisioning-tools, to compare ours with: 0.9.0 (C++, Debian 12)
# and 1.1.0 (Rust, Debian 13). They are unpacked, not installed, as DIRECTORY/VERSION/pdata_tools
# (default .peers in the project's root); each is all tools in one: `pdata_tools thin_check FILE`.
#
# Works from the machine's own Debian mirror with package lists of its own, so the system's apt is
# not touched. Where libraries are missing that a version needs, such as libaio for 0.9.0, they are
# unpacked beside it, and pdata_tools is a script that has them loaded. A version that is not to be
# had is named, with the reason, and left out; that is not a failure here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/suites.sh"
directory=${1:-$here/../../.peers}
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)

works() { "$directory/$1/pdata_tools" thin_check --version >/dev/null 2>&1; }

# fetch SUITE VERSION: subshell, so that nothing but the result is left behind.
fetch() (
  state=$(mktemp -d)
  trap 'rm -rf "$state"' EXIT
  target=$directory/$2
  use_suite "$1" "$state/apt"
  cd "$state"
  apt-get -qq "${apt_options[@]}" download "thin-provisioning-tools=$2*"
  dpkg -x thin-provisioning-tools_*.deb unpacked
  rm -rf "$target"
  mkdir -p "$target"
  cp unpacked/usr/sbin/pdata_tools "$target/"
  works "$2" || add_libraries "$target"
)

# The packages that the one in this folder depends on, but for the C library, which has to be the
# system's.
dependencies() {
  dpkg-deb -f thin-provisioning-tools_*.deb Depends | tr ',' '\n' |
    sed -E 's/^ *([^ |(]+).*/\1/' | grep -v '^libc6'
}

# add_libraries TARGET: called in fetch, with its suite.
add_libraries() {
  local package
  for package in $(dependencies); do
    apt-get -qq "${apt_options[@]}" download "$package"
    dpkg -x "$package"_*.deb libraries
  done
  mkdir -p "$1/lib"
  find libraries -name 'lib*.so*' -exec cp -P -t "$1/lib" {} +
  # The program knows itself by its name.
  mv "$1/pdata_tools" "$1/lib/"
  cat > "$1/pdata_tools" << 'END'
#!/bin/sh
# The old program, with libraries that the system doesn't have.
folder=$(dirname "$0")
LD_LIBRARY_PATH=$folder/lib exec "$folder/lib/pdata_tools" "$@"
END
  chmod 755 "$1/pdata_tools"
}

for peer in bookworm:0.9.0 trixie:1.1.0; do
  suite=${peer%:*} version=${peer#*:}
  words=
  if ! works "$version"; then
    # Not with ||, which would have the shell go on after what fails in there.
    set +e
    words=$(set -e; fetch "$suite" "$version" 2>&1 >/dev/null)
    set -e
  fi
  if works "$version"; then
    echo "peer $version: $directory/$version/pdata_tools"
  else
    [ ! -e "$directory/$version/pdata_tools" ] ||
      words=$("$directory/$version/pdata_tools" thin_check --version 2>&1 >/dev/null) || true
    rm -rf "${directory:?}/$version"
    echo "peer $version: NOT AVAILABLE ($(tail -n 1 <<< "$words"))"
  fi
done
