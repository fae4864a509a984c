#!/bin/bash
# self_test.sh ROOT: check.sh finds a command, an option, a rule, a test and a row that are not there.
set -euo pipefail
root="$1"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
page="$(mktemp)"
trap 'rm -f "$page"' EXIT

expect_failure() {
  sed "$1" "$root/docs/coverage.md" >"$page"
  if "$here/check.sh" "$root" "$page" 2>/dev/null; then
    echo "not found: $1" >&2
    exit 1
  fi
}
expect_failure 's/`checklist`/`nothing`/'
expect_failure 's/`up --to`/`up --until`/'
expect_failure 's/`rule:naming-convention`/`rule:nothing`/'
expect_failure 's/`Waits.AreNoLongerThanAnAttemptAtALock`/`Waits.AreShort`/'
expect_failure '/^| 77 |/d'
expect_failure '/^| E61 |/d'
expect_failure 's/`Verified.EveryDifferenceWhateverTheWay`/`Verified.Nothing`/'
expect_failure 's/`-- ticket`/`-- tickets`/'
