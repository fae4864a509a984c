#!/bin/bash
# check.sh TREE: the order of the rooms, the third-party fences, g++ 12's coroutine traps, and no
# path of one machine in any file. Prints each violation; fails if there is one.
set -euo pipefail
rules="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/rules.awk"
cd "$1"

# Files git would commit; a tree without git (a source archive, the self-test) is taken whole.
list_files() {
  if [[ -e .git ]]; then
    git ls-files -z --cached --others --exclude-standard
  else
    find . -type f -printf '%P\0'
  fi
}

existing_files() {
  local file
  while IFS= read -r -d '' file; do
    if [[ -f $file ]]; then printf '%s\0' "$file"; fi
  done < <(list_files | sort -zu)
}

check_rooms() {
  existing_files | { grep -zE '\.(cc|h)$' || true; } | xargs -0 -r awk -f "$rules"
}

# The brackets keep this file from finding itself.
check_machine_paths() {
  local pattern='(^|[^[:alnum:]_./-])/wor[k]/|/tmp/buil[d]-'
  existing_files | { xargs -0 -r grep -nIE "$pattern" /dev/null || true; } |
    sed 's/^\([^:]*:[0-9]*:\).*/\1 machine-path: a path of one machine/'
}

violations="$(check_rooms; check_machine_paths)"
if [[ -n $violations ]]; then
  printf '%s\n' "$violations"
  exit 1
fi
