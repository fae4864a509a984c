#!/bin/bash
# traps.sh ROOT [PAGE]: every test that the table of traps names exists, and every row names one or says why not.
set -euo pipefail
root="$1"
page="${2:-$root/tests/fault/README.md}"

declare -A known
while IFS= read -r name; do known["$name"]=1; done < <(
  grep -rhoE '^TEST(_F|_P)?\([A-Za-z]+, *[A-Za-z0-9]+\)' "$root/tests" --include=*.cc |
    sed -E 's/^TEST(_F|_P)?\(//; s/, */./; s/\)$//')

failures=0 rows=0
while IFS='|' read -r _ number _ tests _; do
  rows=$((rows + 1))
  [[ $tests == *'`'* || $tests == *none* ]] || { echo "row $number: no test, and no reason" >&2; failures=$((failures + 1)); }
  while [[ $tests =~ \`([^\`]+)\` ]]; do
    tests="${tests#*"${BASH_REMATCH[0]}"}"
    [[ -n ${known["${BASH_REMATCH[1]}"]:-} ]] || { echo "row $number: no test ${BASH_REMATCH[1]}" >&2; failures=$((failures + 1)); }
  done
done < <(grep -E '^\| [0-9]' "$page")
((rows > 0)) || { echo "no rows in $page" >&2; exit 1; }
exit $((failures > 0))
