#!/bin/bash
# self_test.sh RUN: what is played again, and what is not, by a binary made of a script.
set -euo pipefail

run="$1"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

# A binary that fails with the cases of the file `fails`, one line a play, and dies with the status in `dies`.
cat >binary <<'EOF'
#!/bin/bash
echo "play $*" >>plays
[[ -e dies ]] && exit "$(<dies)"
[[ -e none ]] && echo '[==========] Running 0 tests from 0 test suites.' && exit 0
read -r -a cases < <(sed -n "$(wc -l <plays)p" fails) || true
((${#cases[@]} == 0)) && exit 0
printf '[  FAILED  ] %s (1 ms)\n' "${cases[@]}"
echo "[  FAILED  ] ${#cases[@]} tests, listed below:"
printf '[  FAILED  ] %s, where GetParam() = 1\n' "${cases[@]}"
exit 1
EOF
chmod +x binary

# expect STATUS PLAYS UNSTEADY WHAT: how it ends, how often it was played, how many cases are noted.
expect() {
  local status=0
  "$run" ./binary notes >output 2>&1 || status=$?
  touch notes plays
  local found
  found="$status $(wc -l <plays) $(grep -c ^UNSTEADY notes || true)"
  if [[ "$found" != "$1 $2 $3" ]]; then
    echo "$4: status, plays, unsteady are $found, not $1 $2 $3"
    exit 1
  fi
  rm -f plays notes fails dies none
}

touch fails
expect 0 1 0 "a binary that passes"
printf 'A.b\n' >fails
expect 0 2 1 "a case that fails once"
printf 'A.b\nA.b\n' >fails
expect 1 2 0 "a case that fails twice"
printf 'A.b C.d\n' >fails
expect 0 3 2 "two cases that fail once"
printf 'A.b C.d\n\nC.d\n' >fails
expect 1 3 0 "two cases, one of which fails again"
printf 'A.b C.d E.f\n' >fails
expect 1 1 0 "three cases"
printf 'Runs.ARandomRound/1\n' >fails
expect 1 1 0 "a search for lost rows"
echo 139 >dies
expect 139 1 0 "a binary that dies"
touch none
expect 1 1 0 "a binary without a case of that name"
