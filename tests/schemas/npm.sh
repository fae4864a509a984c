# Packages of npm for tests: fetched once, unpacked, nothing of them is run on the way. Sourced.
#
# Exit code 77, with the reason on stderr: npm cannot be reached.

unreachable() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 77
}

# fetch PACKAGE DIRECTORY
fetch() {
  local scratch
  [[ -e $2/complete ]] && return
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    unreachable "node or npm is missing"
  fi
  mkdir -p "${2%/*}"
  scratch="$(mktemp -d "${2%/*}/fetch-XXXXXX")"
  if ! npm pack --loglevel=error --pack-destination "$scratch" "$1" >/dev/null 2>"$scratch/log"; then
    tail -n 3 "$scratch/log" >&2
    rm -rf "$scratch"
    unreachable "npm cannot fetch $1"
  fi
  tar -xzf "$scratch"/*.tgz -C "$scratch" --no-same-owner --strip-components=1
  rm "$scratch"/*.tgz
  touch "$scratch/complete"
  # Another test may have been faster.
  mv -T "$scratch" "$2" 2>/dev/null || rm -rf "$scratch"
}
