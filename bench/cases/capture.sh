# What capture costs users who write all the time: updates by primary key as fast as they go, on a table whose changes
# are logged and on its twin, in turn. The run is paused once its copy is ready, so that only the triggers are measured;
# the log grows meanwhile.
heading "Capture" "$rows rows, padding $padding, two secondary indexes; updates by key, 4 clients, $seconds s each, \
$repeats pairs in turn"
printf '| commits | alone: transactions/s | captured | share (least to most) | WAL bytes each, alone | captured |\n'
printf '|---|---|---|---|---|---|\n'

updates() {
  cat <<SQL
\\set id random(1, $rows)
UPDATE $1 SET a = a + 1 WHERE id = :id;
SQL
}

# pressed TABLE SYNCHRONOUS_COMMIT: "transactions/s WAL-bytes-each" of a saturated server.
pressed() {
  local lsn="SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')" wal done
  updates "$1" >"$scratch/updates.sql"
  in_db one <<<"CHECKPOINT"
  wal="$(in_db one <<<"$lsn")"
  PGOPTIONS="-c synchronous_commit=$2" pgbench -n -M prepared -c 4 -j 2 -T "$seconds" -f "$scratch/updates.sql" \
    "$(dsn one)" >"$scratch/pgbench.log" 2>&1 || die "pgbench failed: $(cat "$scratch/pgbench.log")"
  done="$(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$scratch/pgbench.log")"
  awk -v d="$done" -v s="$seconds" -v w="$wal" -v v="$(in_db one <<<"$lsn")" \
    'BEGIN { printf "%.0f %.0f", d / s, (v - w) / d }'
}

from="$(template bigint "$rows" "$padding")"
fresh "$from"
in_db one <<<"CREATE TABLE twin (LIKE events INCLUDING ALL); INSERT INTO twin SELECT * FROM events"
in_db one <<<"VACUUM (ANALYZE) twin"
"$pgalter" rebuild events --alter 'ALTER c TYPE numeric' --cutover wait --detach --yes --dsn "$(dsn one)" >/dev/null 2>&1
await() {
  local i
  for ((i = 0; i < 600; i++)); do
    [[ $(in_db one <<<"$1") == t ]] && return
    sleep 0.5
  done
  die "never: $1"
}
await "SELECT count(*) = 1 FROM pgalter.run WHERE state = 'waiting' AND progress::text LIKE '%kept up to date%'"
run="$(in_db one <<<"SELECT run FROM pgalter.run")"
"$pgalter" pause "$run" --dsn "$(dsn one)" >/dev/null 2>&1
await "SELECT count(*) = 1 FROM pgalter.run WHERE state = 'paused'"
for commits in on off; do
  for ((i = 0; i < repeats; i++)); do
    printf '%s %s\n' "$(pressed twin "$commits")" "$(pressed events "$commits")" >>"$scratch/capture.$commits"
  done
  awk '{ print $3 / $1 }' "$scratch/capture.$commits" | sort -g >"$scratch/capture.shares"
  printf '| synchronous_commit %s | %s | %s | %.2f (%.2f to %.2f) | %s | %s |\n' "$commits" \
    "$(median "$scratch/capture.$commits" 1)" "$(median "$scratch/capture.$commits" 3)" \
    "$(median "$scratch/capture.shares" 1)" "$(head -1 "$scratch/capture.shares")" \
    "$(tail -1 "$scratch/capture.shares")" "$(median "$scratch/capture.$commits" 2)" \
    "$(median "$scratch/capture.$commits" 4)"
done
in_db postgres <<<"DROP DATABASE one WITH (FORCE)"
in_db postgres <<<"DROP DATABASE $from"
