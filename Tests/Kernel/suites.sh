# suites.sh, sourced by scripts that fetch packages of other Debian suites than the system's.

# The first Debian archive in the system's sources, in either of the two notations.
mirror() {
  sed -nE -e 's/^URIs: *([^ ]*).*/\1/p' -e 's/^deb (\[[^]]*\] *)?([a-z+]+:[^ ]*).*/\2/p' \
    /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    2>/dev/null | grep -m 1 'debian/*$'
}

# use_suite SUITE FOLDER: with $apt_options, apt-get and apt-cache know that suite's packages and no
# others. Their lists stand in FOLDER, so the system's apt is not touched.
use_suite() {
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror
  mirror=$(mirror) || true
  [ -n "$mirror" ] || { echo "/etc/apt names no Debian mirror" >&2; return 1; }
  mkdir -p "$2/lists/partial" "$2/cache/archives/partial"
  echo "deb [signed-by=$keys] $mirror $1 main" > "$2/sources.list"
  apt_options=(-o Dir::Etc::SourceList="$2/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists="$2/lists" -o Dir::Cache="$2/cache"
    -o APT::Sandbox::User=root -o Debug::NoLocking=1)
  apt-get -qq "${apt_options[@]}" update
}
