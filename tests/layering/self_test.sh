#!/bin/bash
# Shows that check.sh can fail: every bad line alone makes it fail with the named rule, and all
# good lines together pass.
set -euo pipefail
check="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/check.sh"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cases=0
failed=0

put() {
  mkdir -p "$scratch/$1/$(dirname "$2")"
  printf '%s\n' "$3" >>"$scratch/$1/$2"
}

fail() {
  printf 'FAILED: %s\n' "$*"
  failed=1
}

# bad RULE FILE TEXT
bad() {
  local output
  cases=$((cases + 1))
  put bad "$2" "$3"
  if output="$("$check" "$scratch/bad")"; then
    fail "passed, expected $1: $2: $3"
  elif [[ $output != "$2:"*" $1: "* ]]; then
    fail "expected $1 for $2: $3, got: $output"
  fi
  rm -rf "$scratch/bad"
}

# good FILE TEXT
good() {
  cases=$((cases + 1))
  put good "$1" "$2"
}

bad direction planner/a.h '#include "engine/pg/connection.h"'
bad direction engine/run/a.cc '#include "batcher/backfill/chunk.h"'
bad direction batcher/copy/a.cc '#include "migrations/history.h"'
bad direction migrations/a.cc '  #  include <cli/exit_code.h>'
bad direction cli/a.cc '#include "tests/support/server.h"'
bad direction engine/a.h '#include "bench/load.h"'
good batcher/copy/a.h '#include "engine/pg/connection.h"'
good cli/a.h '#include "planner/sql/parse.h"'
good bench/a.cc '#include "tests/support/server.h"'
good tests/unit/a.cc '#include "cli/exit_code.h"'

bad engine-direction engine/async/a.h '#include "engine/pg/connection.h"'
bad engine-direction engine/pg/a.h '#include "engine/guard/lease.h"'
bad engine-direction engine/guard/a.h '#include "engine/lock/lock_table.h"'
good engine/lock/a.h '#include "engine/guard/lease.h"'
good engine/pg/a.h '#include "engine/async/task.h"'

bad libpq-fence engine/state/a.cc '#include <libpq-fe.h>'
bad libpq-fence tests/unit/a.cc '#include <postgresql/libpq-fe.h>'
bad beast-fence cli/serve/site.cc '#include <boost/beast/http.hpp>'
good cli/serve/http_server.cc '#include <boost/beast/http.hpp>'
bad parser-fence planner/lint/a.cc '#include "pg_query.pb.h"'
bad parser-fence engine/run/a.cc '#include <google/protobuf/message.h>'
bad parser-fence tests/unit/a.cc '#include <pg_query.h>'
good engine/pg/a.cc '#include <libpq-fe.h>'
good tests/support/a.cc '#include <libpq-fe.h>'
good planner/sql/a.cc '#include "pg_query.pb.h"'

bad planner-pure planner/a.cc '#include <fstream>'
bad planner-pure planner/a.cc '#include <filesystem>'
bad planner-pure planner/a.cc '#include <sys/socket.h>'
bad planner-pure planner/a.cc 'auto now = std::chrono::system_clock::now();'
bad planner-pure planner/a.cc 'auto now = steady_clock::now();'
bad planner-pure planner/a.cc 'const char* home = std::getenv("HOME");'
bad planner-pure planner/a.cc 'int fd = socket(AF_INET, SOCK_STREAM, 0);'
good planner/a.cc '// the caller reads system_clock::now() and getenv("TZ")'
good planner/a.cc 'std::chrono::milliseconds limit(500);'
good engine/watch/a.cc 'const auto now = std::chrono::steady_clock::now();'

bad wide-asio engine/pg/a.cc '#include <boost/asio.hpp>'
bad awaitable-operators engine/a.cc '#include <boost/asio/experimental/awaitable_operators.hpp>'
bad awaitable-operators engine/a.cc 'using namespace asio::experimental::awaitable_operators;'
bad detached engine/run/a.cc 'asio::co_spawn(executor, Run(), asio::detached);'
bad detached tests/unit/a.cc '#include <boost/asio/detached.hpp>'
good cli/main.cc 'asio::co_spawn(executor, Run(), asio::detached);'
good engine/run/a.cc '#include <boost/asio/co_spawn.hpp>'

bad coroutine-temporary engine/a.cc 'co_await Open(Options{.host = host});'
bad coroutine-temporary engine/a.cc 'auto r = co_await conn.Query(sql, {id, epoch});'
bad coroutine-temporary engine/a.cc 'co_await Run(std::vector<std::string>{"a", "b"});'
bad coroutine-temporary engine/a.cc 'co_await Open(
    Options{
        .host = host});'
bad coroutine-capture engine/a.cc 'co_await Finally([name] { return Drop(name); }, cleanup);'
bad coroutine-capture engine/a.cc 'co_await Finally(body, [=]() -> Task<> { return Drop(); });'
bad coroutine-capture engine/a.cc 'co_await Finally(body, [&conn, n = Name()] { return n; });'
bad coroutine-conditional engine/a.cc 'const auto row = fast ? co_await A() : co_await B();'
bad coroutine-conditional engine/a.cc 'co_await Sleep(fast ? short_pause : long_pause);'
bad coroutine-conditional engine/a.cc 'co_await Sleep(fast
                   ? short_pause
                   : long_pause);'
good engine/a.cc 'if (co_await conn.Query("SELECT {} ? [x]")) {'
good engine/a.cc 'co_await Finally([&]() -> Task<> { return Body(); }, [&conn, this] { return conn; });'
good engine/a.cc 'co_await Run(steps[next], names[i].value);'
good engine/a.cc 'const Options options{.host = host};'
good engine/a.cc 'co_await Open(options);  // not Options{} here, nor a ? b : c'
good engine/a.cc 'const auto pause = fast ? short_pause : long_pause;'
good engine/a.cc 'for (const auto& row : co_await conn.Query(sql)) {'

# Spelled in two parts, or this file would break its own rule.
bad machine-path docs/a.md "see /wor""k/main/dev"
bad machine-path cli/CMakeLists.txt "set(dir /tmp/buil""d-mine)"
good docs/a.md 'see docs/work/plan.md and /tmp/pgalter'

cases=$((cases + 1))
"$check" "$scratch/good" || fail "the good tree did not pass"
((failed == 0)) || exit 1
printf '%d cases\n' "$cases"
