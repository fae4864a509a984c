# What the cases share: options, one throwaway server, tables that are copied fresh for every
# measurement. Sourced by bench/run.

rows=1000000 repeats=3 keys="bigint uuid" padding=60 seconds=20 rate=500 idle_reader=30
methods="single loop keyset plain1 pgalter1 pgalter2" asked_methods=""
targets="plain months" swaps=50 leaves="0 1 5 25 100 400 1000" others=0
only="" pgalter="" shared_buffers=2GB

die() {
  echo "bench: $*" >&2
  exit 2
}

read_options() {
  local name
  while (($#)); do
    case "$1" in
      --idle-reader)
        (($# > 1)) || die "$1 needs a value"
        idle_reader="$2"
        ;;
      --recipes)
        (($# > 1)) || die "$1 needs a value"
        only="$2"
        ;;
      --methods)
        (($# > 1)) || die "$1 needs a value"
        methods="$2" asked_methods="$2"
        ;;
      --rows | --repeats | --keys | --padding | --seconds | --rate | --pgalter | --shared-buffers | \
        --targets | --swaps | --leaves | --others)
        (($# > 1)) || die "$1 needs a value"
        name="${1#--}"
        printf -v "${name//-/_}" '%s' "$2"
        ;;
      *) die "unknown option $1" ;;
    esac
    shift 2
  done
  for name in $targets; do [[ $name == plain || $name == months ]] || die "unknown target $name"; done
  [[ -n $pgalter ]] || pgalter="$root/build/release/pgalter"
  [[ -x $pgalter ]] || die "$pgalter is not there; ./dev build release makes it"
}

# chosen METHOD…: those of them that --methods names; all of them where it was not given.
chosen() {
  local method
  for method in "$@"; do
    [[ -n $asked_methods && " $asked_methods " != *" $method "* ]] || printf '%s\n' "$method"
  done
}

# The folder of everything temporary; it goes with the process, and the server if one was started.
make_scratch() {
  scratch="$(mktemp -d)"
  server=()
  trap 'clean_up' EXIT
}

clean_up() {
  local left
  mapfile -t left < <(jobs -p)
  if ((${#left[@]})); then kill "${left[@]}" 2>/dev/null || true; fi
  if ((${#server[@]})); then "$pgalter" sandbox stop "${server[0]}" >/dev/null 2>&1 || true; fi
  rm -rf "$scratch"
}

# A swap of a thousand partitions with their indexes asks for more than 64 locks a transaction.
start_server() {
  mapfile -t server < <("$pgalter" sandbox start --set "shared_buffers=$shared_buffers" --set max_wal_size=16GB \
    --set checkpoint_timeout=1h --set maintenance_work_mem=512MB --set max_locks_per_transaction=256 2>/dev/null)
  [[ ${#server[@]} == 2 ]] || die "no server was started"
}

dsn() { printf '%s' "${server[1]/dbname=postgres/dbname=$1}"; }
in_db() { psql -XqAt -v ON_ERROR_STOP=1 "$(dsn "$1")"; }

heading() {
  printf '\n## %s\n\n%s; PostgreSQL %s, %d processors, load at the start %s\n\n' "$1" "$2" \
    "$(in_db postgres <<<'SHOW server_version')" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
}

# moment_of N ROWS: SQL: when row N was made of a table whose rows lie two years back from the bench's start, in even steps.
# Immutable, so that a statement with it is planned with the one partition.
first_moment=$(($(date +%s) - 2 * 365 * 86400))
moment_of() { printf 'to_timestamp(%s + (%s)::bigint * %s / %s)' "$first_moment" "$1" $((2 * 365 * 86400)) "$2"; }

# template KEY ROWS PADDING [years]: prints the name of a database with that table, made at the first call. Its rows were
# made one a second, the last one first; or over two years.
template() {
  local name="template_$1_$2_$3${4:+_$4}" id made="now() - n * interval '1 s'"
  [[ -z ${4:-} ]] || made="$(moment_of n "$2")"
  case "$1" in
    bigint) id=n ;;
    uuid) id='gen_random_uuid()' ;;
    *) die "unknown key $1" ;;
  esac
  printf '%s\n' "$name"
  if [[ $(in_db postgres <<<"SELECT count(*) FROM pg_database WHERE datname = '$name'") == 1 ]]; then
    return
  fi
  in_db postgres <<<"CREATE DATABASE $name"
  in_db "$name" <<SQL
CREATE EXTENSION pg_prewarm;
CREATE TABLE events (id $1 PRIMARY KEY, account_id bigint, created_at timestamptz NOT NULL, a int, payload text);
-- Not compressed, and never moved out of the row: a page holds as many rows as the padding allows.
ALTER TABLE events ALTER payload SET STORAGE PLAIN;
INSERT INTO events SELECT $id, n % 100000, $made, n % 1000000, repeat('x', $3)
  FROM generate_series(1, $2) n;
CREATE INDEX ON events (account_id, created_at);
CREATE INDEX ON events (created_at);
ALTER TABLE events ADD COLUMN c bigint;
VACUUM (ANALYZE) events;
SQL
}

# fresh TEMPLATE: database `one`, a copy of it in shared buffers, after a checkpoint.
fresh() {
  in_db postgres <<<"DROP DATABASE IF EXISTS one WITH (FORCE)" 2>/dev/null
  in_db postgres <<<"CREATE DATABASE one TEMPLATE $1 STRATEGY FILE_COPY"
  in_db postgres <<<"CHECKPOINT"
  in_db one <<<"SELECT sum(pg_prewarm(oid)) FROM pg_class WHERE relname LIKE 'events%'" >/dev/null
}

# How a method fills the column, as one SQL script.
method_sql() {
  case "$1" in
    single) echo "UPDATE events SET c = a + 1;" ;;
    loop | loop_sleep)
      cat <<SQL
DO \$\$
DECLARE done bigint;
BEGIN
  LOOP
    UPDATE events SET c = a + 1 WHERE id IN (SELECT id FROM events WHERE c IS NULL LIMIT 10000);
    GET DIAGNOSTICS done = ROW_COUNT;
    COMMIT;
    EXIT WHEN done = 0;
    $([[ $1 == loop_sleep ]] && echo "PERFORM pg_sleep(0.1);")
  END LOOP;
END \$\$;
SQL
      ;;
    keyset)
      cat <<SQL
DO \$\$
DECLARE last events.id%TYPE; upper events.id%TYPE;
BEGIN
  SELECT id INTO last FROM events ORDER BY id LIMIT 1;
  UPDATE events SET c = a + 1 WHERE id = last;
  LOOP
    SELECT id INTO upper FROM (SELECT id FROM events WHERE id > last ORDER BY id LIMIT 10000) s
      ORDER BY id DESC LIMIT 1;
    EXIT WHEN upper IS NULL;
    UPDATE events SET c = a + 1 WHERE id > last AND id <= upper;
    COMMIT;
    last := upper;
  END LOOP;
END \$\$;
SQL
      ;;
    *) die "unknown method $1" ;;
  esac
}

# run_method METHOD [pgalter options…]: on database `one`.
run_method() {
  local method="$1" backfill
  shift
  backfill=("$pgalter" backfill events --set 'c = a + 1' --sync none --yes --dsn "$(dsn one)" "$@")
  case "$method" in
    pgalter[1-9]) "${backfill[@]}" --workers "${method#pgalter}" ;;
    plain[1-9]) "${backfill[@]}" --workers "${method#plain}" --stripes 1 ;;
    *) method_sql "$method" | in_db one ;;
  esac
}

check_rows() {
  local wrong
  wrong="$(in_db one <<<"SELECT count(*) FROM events WHERE c IS DISTINCT FROM a + 1")"
  [[ $wrong == 0 ]] || die "$1 left $wrong rows wrong"
}

# measure TEMPLATE METHOD [pgalter options…] -> "seconds heap% index% WAL_MB HOT%"
measure() {
  local sizes before begun ended after
  sizes="SELECT pg_relation_size('events'), pg_indexes_size('events'),
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
  fresh "$1"
  shift
  before="$(in_db one <<<"$sizes")"
  begun="$(date +%s.%N)"
  run_method "$@" >"$scratch/method.log" 2>&1 || die "$1 failed: $(cat "$scratch/method.log")"
  ended="$(date +%s.%N)"
  after="$(in_db one <<<"$sizes")|$(in_db one <<<"SELECT pg_stat_force_next_flush();
    SELECT 100.0 * n_tup_hot_upd / n_tup_upd FROM pg_stat_user_tables WHERE relname = 'events'" |
    tail -1)"
  check_rows "$1"
  awk -F'|' -v s="$begun" -v e="$ended" -v after="$after" '{
    split(after, now, "|")
    printf "%.2f %.1f %.1f %.0f %.0f\n", e - s, 100 * (now[1] / $1 - 1), 100 * (now[2] / $2 - 1),
      (now[3] - $3) / 1e6, now[4]
  }' <<<"$before"
}

# median FILE COLUMN
median() { sort -g -k"$2","$2" "$1" | awk -v c="$2" '{v[NR] = $c} END {print v[int((NR + 1) / 2)]}'; }

# pairs FILE COLUMN OTHER COLUMN [how]: the one divided by the other, line by line, as the repeats took turns: the
# median, and with `spread` the least and the most behind it. Where one was not measured: -.
pairs() {
  [[ -s $1 && -s $3 ]] || { printf -- '-'; return; }
  paste -d' ' <(cut -d' ' -f"$2" "$1") <(cut -d' ' -f"$4" "$3") |
    awk '$1 ~ /^[0-9.]+$/ && $2 + 0 > 0 { print $1 / $2 }' | sort -g |
    awk -v how="${5:-}" '{ v[NR] = $1 }
      END {
        if (!NR) { printf "-"; exit }
        printf "%.2f", v[int((NR + 1) / 2)]
        if (how == "spread") printf " (%.2f to %.2f)", v[1], v[NR]
      }'
}

# watch_memory PID: its peak resident memory, in KiB, from the kernel's own high-water mark, into $scratch/memory.
watch_memory() {
  while kill -0 "$1" 2>/dev/null; do
    sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status" 2>/dev/null >>"$scratch/memory" || true
    sleep 0.2
  done
}

clock() { date +%s.%N; }

# ---- users of the table ------------------------------------------------------------------------

# mixed_users [years]: a pgbench script of short reads, updates and inserts by primary key; of a table made over two
# years, by the time, too.
mixed_users() {
  local also=""
  [[ -z ${1:-} ]] || also=" AND created_at = $(moment_of :id "$rows")"
  cat <<SQL
\\set id random(1, $rows)
\\set kind random(1, 100)
\\if :kind <= 60
SELECT a, payload FROM events WHERE id = :id$also;
\\elif :kind <= 95
UPDATE events SET payload = reverse(payload) WHERE id = :id$also;
\\else
INSERT INTO events VALUES ($rows + nextval('new_events'), :kind, now(), :kind, 'new', :kind + 1);
\\endif
SQL
}

# start_users SCRIPT_FILE TPS: in the background, for `users_for` or else `seconds`, their log under $scratch/users.
# Commits are not flushed, so that the disk's own stalls do not drown what is measured.
start_users() {
  rm -f "$scratch"/users*
  PGOPTIONS='-c synchronous_commit=off' pgbench -n -M "${protocol:-prepared}" -c 8 -j 1 -R "$2" -T "${users_for:-$seconds}" \
    -f "$1" -l --log-prefix="$scratch/users" "$(dsn one)" >"$scratch/pgbench.log" 2>&1 &
  users=$!
}

# stop_users: now, as at the end of their time. One whose transaction failed went home, and that is a failure here.
stop_users() {
  kill -ALRM "$users" || die "pgbench failed: $(cat "$scratch/pgbench.log")"
  wait "$users" || die "a user met an error: $(cat "$scratch/pgbench.log")"
}

# "p50 p99 max" of the numbers on stdin.
quantiles() {
  sort -g | awk '{v[NR] = $1}
    END {
      if (!NR) { print "- - -"; exit }
      printf "%.2f %.2f %.1f\n", v[int((NR + 1) / 2)], v[int(NR * 0.99) + 1], v[NR]
    }'
}

# wait_users [UNTIL]: that, in ms, of the transactions that ended before that time (epoch).
wait_users() {
  wait "$users" || die "pgbench failed: $(cat "$scratch/pgbench.log")"
  cat "$scratch"/users.* | awk -v until="${1:-9e18}" '$5 <= until {print $3 / 1000}' | quantiles
}

# felt METHOD SCRIPT_FILE TPS [pgalter options…]: what the users of database `one` feel while the
# method is at work (method `idle`: nothing is), as wait_users has it. The method is ended with them.
felt() {
  local method="$1" script="$2" tps="$3" worker="" until=""
  shift 3
  rm -f "$scratch/method.end"
  start_users "$script" "$tps"
  if [[ $method != idle ]]; then
    (run_method "$method" "$@" >"$scratch/method.log" 2>&1; date +%s >"$scratch/method.end") &
    worker=$!
  fi
  while kill -0 "$users" 2>/dev/null; do sleep 0.2; done
  [[ -e $scratch/method.end ]] && until="$(cat "$scratch/method.end")"
  wait_users "$until"
  if [[ -n $worker ]]; then
    in_db postgres <<<"SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = 'one' AND backend_type = 'client backend'" >/dev/null
    pkill -P "$worker" 2>/dev/null || true
    wait "$worker" || true
  fi
}

# On database `one`: seconds, WAL MB.
timed() {
  local lsn="SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')" wal begun ended
  wal="$(in_db one <<<"$lsn")"
  begun="$(date +%s.%N)"
  "$@" >"$scratch/method.log" 2>&1 || die "$1 failed: $(cat "$scratch/method.log")"
  ended="$(date +%s.%N)"
  awk -v s="$begun" -v e="$ended" -v w="$wal" -v v="$(in_db one <<<"$lsn")" \
    'BEGIN { printf "%.2f %.0f", e - s, (v - w) / 1e6 }'
}
