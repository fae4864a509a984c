#!/bin/bash
# self_test.sh ROOT: check.sh finds a command, an option, a rule, a test and a row that are not there, and a guide's
# error without its test.
set -euo pipefail
root="$1"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
page="$(mktemp)"
guides="$(mktemp -d)"
trap 'rm -rf "$page" "$guides"' EXIT

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

for number in 1 49 61; do
  cp "$root"/tests/integration/guides_*_test.cc "$guides"
  sed -i "/^TEST_F(Guide[A-Za-z]*, E${number}[A-Z]/d" "$guides"/guides_*_test.cc
  if "$here/check.sh" "$root" "$root/docs/coverage.md" "$guides" 2>/dev/null; then
    echo "not found: E$number has no test" >&2
    exit 1
  fi
done
