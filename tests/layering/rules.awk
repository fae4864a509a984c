# Reads C++ files named by their path from the repo root; prints "file:line: rule: what to do".
# Works on text, so it is a guard against slips, not a proof. POSIX awk: Debian's is mawk.

function report(rule, advice) {
  printf "%s:%d: %s: %s\n", FILENAME, FNR, rule, advice
}

# The text without comments and without what stands in quotes.
function strip(text) {
  gsub(/\\./, "", text)
  gsub(/"[^"]*"/, "\"\"", text)
  gsub(/'[^']'/, "''", text)
  gsub(/\/\*[^*]*\*\//, "", text)
  sub(/\/\/.*/, "", text)
  return text
}

function room_of(path) {
  return index(path, "/") ? substr(path, 1, index(path, "/") - 1) : ""
}

# engine/pg/connection.h -> 1; everything that is not one of the three base rooms -> 3.
function engine_rank(path) {
  if (path ~ /^engine\/async\//) return 0
  if (path ~ /^engine\/pg\//) return 1
  if (path ~ /^engine\/guard\//) return 2
  return 3
}

function check_direction(target,    from, to) {
  from = room_of(FILENAME)
  to = room_of(target)
  if (!(to in rank)) return
  if (rank[to] == rank["tests"] && rank[from] != rank["tests"])
    report("direction", "nothing outside tests and bench includes " target)
  else if (rank[to] > rank[from])
    report("direction", from "/ must not include " target)
  if (from == "engine" && to == "engine" && engine_rank(target) > engine_rank(FILENAME))
    report("engine-direction", "async <- pg <- guard <- the rest: not " target)
}

function check_fences(target) {
  if (target ~ /^(postgresql\/)?(libpq-fe|libpq-events|postgres_ext|libpq\/.*)\.h$/ &&
      FILENAME !~ /^(engine\/pg|tests\/support)\//)
    report("libpq-fence", "libpq belongs to engine/pg")
  if (target ~ /(^|\/)pg_query[a-z_.]*\.h$|^google\/protobuf\// && FILENAME !~ /^planner\/sql\//)
    report("parser-fence", "libpg_query and protobuf belong to planner/sql")
  if (target ~ /^boost\/beast/ && FILENAME != "cli/serve/http_server.cc")
    report("beast-fence", "Boost.Beast takes long to compile: cli/serve/http_server.cc alone")
  if (FILENAME ~ /^planner\// &&
      target ~ /^(fstream|filesystem|cstdlib|ctime|thread|unistd\.h|fcntl\.h|netdb\.h|sys\/.*|netinet\/.*|arpa\/.*|boost\/asio.*|boost\/beast.*)$/)
    report("planner-pure", "planner/ is text and values in and out: no <" target ">")
  if (target == "boost/asio.hpp" || target == "asio.hpp")
    report("wide-asio", "include the one Asio header that is needed")
  if (target ~ /awaitable_operators/)
    report("awaitable-operators", "|| swallows the task's error until the timer fires")
  if (target == "boost/asio/detached.hpp" && FILENAME !~ /(^|\/)main\.cc$/)
    report("detached", "spawn in a TaskGroup; only main.cc detaches")
}

function check_line(text) {
  if (FILENAME ~ /^planner\// &&
      text ~ /(system|steady|high_resolution)_clock::now|(^|[^A-Za-z_])(secure_)?getenv *\(|(^|[^A-Za-z_.>])(socket|std::time|gettimeofday|clock_gettime) *\(/)
    report("planner-pure", "planner/ reads no clock, environment or socket")
  if (text ~ /(^|[^A-Za-z_])asio::detached([^_A-Za-z]|$)/ && FILENAME !~ /(^|\/)main\.cc$/)
    report("detached", "spawn in a TaskGroup; only main.cc detaches")
  if (text ~ /awaitable_operators/)
    report("awaitable-operators", "|| swallows the task's error until the timer fires")
}

# One capture list, without its brackets: does it hold anything but references and `this`?
function captures_by_value(list,    items, count, i) {
  count = split(list, items, ",")
  for (i = 1; i <= count; i++) {
    gsub(/^ +| +$/, "", items[i])
    if (items[i] != "" && items[i] !~ /^&/ && items[i] != "this") return 1
  }
  return 0
}

# g++ 12 destroys these temporaries twice or copies them bytewise when the coroutine suspends
# inside the full expression.
function check_coroutine(text,    rest, list) {
  if (text !~ /(^|[^A-Za-z_])co_await([^A-Za-z_]|$)/) return
  if (text ~ /(^|[^?])\?([^?]|$)/)
    report("coroutine-conditional", "?: with co_await: write an if, or name the operand before")
  rest = substr(text, index(text, "co_await"))
  if (rest ~ /[A-Za-z0-9_>]\{|[(,] *\{/)
    report("coroutine-temporary", "braced temporary inside co_await: name it on the line before")
  # An introducer follows "(", "," or a blank; a subscript follows a name.
  while (match(rest, /[(, {]\[[^]]*\]/)) {
    list = substr(rest, RSTART + 2, RLENGTH - 3)
    if (captures_by_value(list))
      report("coroutine-capture", "by-value capture inside co_await: name the lambda before")
    rest = substr(rest, RSTART + RLENGTH)
  }
}

BEGIN {
  rank["planner"] = 0
  rank["engine"] = 1
  rank["batcher"] = 2
  rank["migrations"] = 3
  rank["cli"] = 4
  rank["tests"] = rank["bench"] = 5
}

FNR == 1 { statement = "" }

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
  target = $0
  sub(/^[^<"]*[<"]/, "", target)
  sub(/[>"].*/, "", target)
  check_direction(target)
  check_fences(target)
  next
}

{
  text = strip($0)
  check_line(text)
  # clang-format breaks long statements: judge one statement, not one line.
  gsub(/^[ \t]+|[ \t]+$/, "", text)
  statement = statement (statement == "" ? "" : " ") text
  if (text ~ /[;{}]$/ || $0 ~ /^[ \t]*(#|$)/) {
    check_coroutine(statement)
    statement = ""
  }
}
