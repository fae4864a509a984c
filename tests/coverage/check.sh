#!/bin/bash
# check.sh ROOT [PAGE [GUIDES]]: docs/coverage.md against the tree, and the tests of guides (in GUIDES) against it. Every point is there once, and every command, option, key,
# rule, page and test that a row names exists. A row without any of these says "not yet".
set -euo pipefail
root="$1"
page="${2:-$root/docs/coverage.md}"
guides="${3:-$root/tests/integration}"
cd "$root"

# As sets: looking them up by a program each time would take long.
declare -A known
learn() { while IFS= read -r name; do known["$1 $name"]=1; done; }
learn command < <(sed -n 's/^PGALTER_COMMAND([^"]*"\([^"]*\)".*/\1/p' cli/commands.def)
learn option < <(grep -rhoE '^ *(options\.add_options\(\))?\("[a-z-]+[",]' cli | grep -oE '[a-z][a-z-]+[",]$' | tr -d '",')
learn test < <(grep -rhoE '^TEST(_F|_P)?\([A-Za-z]+, *[A-Za-z0-9]+\)' tests --include=*.cc |
  sed -E 's/^TEST(_F|_P)?\(//; s/, */./; s/\)$//')

failures=0
fail() {
  printf '%s\n' "$*" >&2
  failures=$((failures + 1))
}
is() { [[ -n ${known["$1 $2"]:-} ]]; }
words_of() {
  local text="$1"
  while [[ $text =~ \`([^\`]+)\` ]]; do
    printf '%s\n' "${BASH_REMATCH[1]}"
    text="${text#*"${BASH_REMATCH[0]}"}"
  done
}

check_word() {
  local row="$1" word="$2" command rest option
  case "$word" in
    rule:*) [[ -e docs/rules/${word#rule:}.md ]] || fail "row $row: no rule ${word#rule:}" ;;
    docs/*) [[ -e $word ]] || fail "row $row: no page $word" ;;
    '[migrations] '*)
      grep -q "\"${word#* }\"" cli/migrate/source.cc || fail "row $row: no key $word"
      ;;
    '[policy] '*)
      grep -q "Setting{\"${word#* }\"," cli/policy_config.cc || fail "row $row: no key $word"
      ;;
    '-- pgalter:'* | '-- '*)
      rest="${word#-- }"
      grep -q "\"${rest#pgalter:}\"sv\|{\"${rest#pgalter:}\"," migrations/formats/own_file.cc ||
        fail "row $row: no mark $word"
      ;;
    --*) is option "${word#--}" || [[ $word == --dsn ]] || fail "row $row: no option $word" ;;
    *)
      command="${word%% *}"
      is command "$command" || fail "row $row: no command $command"
      for option in ${word#"$command"}; do
        is option "${option#--}" || fail "row $row: no option $option"
      done
      ;;
  esac
}

# check_rows PREFIX COUNT: the table whose numbers begin with PREFIX.
check_rows() {
  local prefix="$1" count="$2" expected=1 number asked by tested words names
  while IFS='|' read -r _ number asked by tested _; do
    number="${number// /}"
    [[ $number =~ ^$prefix([0-9]+)$ ]] || continue
    number="${BASH_REMATCH[1]}"
    ((number == expected)) || fail "row $prefix$number stands where $prefix$expected should"
    expected=$((number + 1))
    [[ -n ${asked// /} ]] || fail "row $prefix$number asks for nothing"
    words="$(words_of "$by")"
    [[ -n $words || $by == *'not yet'* ]] || fail "row $prefix$number has nothing, and does not say so"
    while IFS= read -r word; do
      [[ -z $word ]] || check_word "$prefix$number" "$word"
    done <<<"$words"
    names="$(words_of "$tested")"
    [[ -n $names || $by == *'not yet'* ]] ||
      fail "row $prefix$number has no test, and does not say what is missing"
    while IFS= read -r name; do
      [[ -z $name ]] || is test "$name" || fail "row $prefix$number: no test $name"
    done <<<"$names"
  done <"$page"
  ((expected == count + 1)) || fail "the last row is $prefix$((expected - 1)), not $prefix$count"
}
# check_guides COUNT: each has a test that runs the guide's way beside ours, which runs.
check_guides() {
  local number found
  for ((number = 1; number <= $1; number++)); do
    found="$(grep -hE "^TEST_F\(Guide[A-Za-z]*, E${number}[A-Z]" "$guides"/guides_*_test.cc || true)"
    [[ -n $found ]] || fail "row E$number: no test Guide….E$number…"
    [[ $found != *DISABLED_* ]] || fail "row E$number: its test is disabled"
  done
}
check_rows '' 157
check_rows E 61
check_guides 61
((failures == 0))
