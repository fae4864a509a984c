# The rebuild and its floor while users read and write the table all along, in turn: what the copy takes then, what users
# felt of each step, and what it needed of memory and of room for the log.
heading "Beside" "$rate transactions/s (60 % reads, 35 % updates, 5 % inserts) on $rows rows, bigint key, padding $padding, two \
secondary indexes; $seconds s idle before, and as long after the swap; $repeats pairs in turn; limits: copy, key and indexes \
1.3 x the floor, 64 MiB"
from="$(template bigint "$rows" "$padding" years)"
mixed_users years >"$scratch/beside.sql"

# The largest sizes so far, with indexes, of log and changed keys on the way there, and of the log for the way back. By the
# files: a sampler that asked for a lock could stand in somebody's way.
sizes_of_log="SELECT coalesce(sum(f.size) FILTER (WHERE t.relname LIKE 'log\\_forward%'), 0),
  coalesce(sum(f.size) FILTER (WHERE t.relname LIKE 'dirty\\_forward%'), 0),
  coalesce(sum(f.size) FILTER (WHERE t.relname LIKE 'log\\_reverse%'), 0)
FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
  CROSS JOIN LATERAL (SELECT t.oid UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = t.oid) part (oid)
  CROSS JOIN LATERAL pg_stat_file(pg_relation_filepath(part.oid), true) f
WHERE n.nspname ~ '^pgalter_' AND t.relkind = 'r' AND t.relname ~ '^(log|dirty)_';"
watch_log() {
  while kill -0 "$1" 2>/dev/null; do
    echo "$sizes_of_log"
    sleep 0.2
  done | psql -XqAt -F ' ' "$(dsn one)" >>"$scratch/log.sizes"
}

# steps_of_run: "name from to" of each, in seconds since 1970.
steps_of_run() {
  in_db one <<<"SELECT format('%s %s %s', kind, extract(epoch FROM started_at), extract(epoch FROM ended_at))
    FROM pgalter.step ORDER BY ordinal"
}

# felt_in TARGET: of $scratch/steps ("name from to"), each transaction's ms into $scratch/felt.TARGET.NAME. It belongs to
# the step in which it ended; one that met capture or cut-over anywhere between when it was due and its end belongs to that:
# it may have waited for its lock, and ended behind it (the step's end is noted before the commit).
felt_in() {
  cat "$scratch"/users.* | awk -v steps="$scratch/steps" -v to="$scratch/felt.$1." '
    BEGIN {
      while ((getline line < steps) > 0) { split(line, f, " "); n++; name[n] = f[1]; from[n] = f[2]; until[n] = f[3] }
    }
    {
      end = $5 + $6 / 1e6; due = end - $3 / 1e6; at = 0
      for (i = 1; i <= n; i++)
        if (name[i] ~ /^(capture|cutover)$/ && due <= until[i] + 0.1 && end >= from[i]) at = i
      for (i = 1; i <= n && !at; i++) if (end >= from[i] && end < until[i]) at = i
      if (at) { file = to name[at]; print $3 / 1000 >> file }
    }'
}

# beside TARGET METHOD: "whole copied-in" in seconds.
beside() {
  local begun ended last watcher
  fresh "$from"
  in_db one <<<"CREATE SEQUENCE new_events"
  users_for=7200 protocol=simple start_users "$scratch/beside.sql" "$rate"
  sleep 1
  begun="$(clock)"
  sleep "$seconds"
  echo "idle $begun $(clock)" >"$scratch/steps"
  if [[ $2 == floor ]]; then
    begun="$(clock)"
    copy_floor "$1" >"$scratch/method.log" 2>&1 || die "floor failed: $(cat "$scratch/method.log")"
    ended="$(clock)"
    echo "floor $begun $ended" >>"$scratch/steps"
  else
    rebuild_command "$1" "${2#pgalter}"
    watch_log "$users" &
    watcher=$!
    begun="$(clock)"
    "${rebuild_command[@]}" >"$scratch/method.log" 2>&1 &
    worker=$!
    watch_memory "$worker"
    wait "$worker" || die "rebuild failed: $(cat "$scratch/method.log")"
    ended="$(clock)"
    steps_of_run >>"$scratch/steps"
    last="$(tail -1 "$scratch/steps" | cut -d' ' -f3)"
    sleep "$seconds"
    echo "after $last $(clock)" >>"$scratch/steps"
  fi
  stop_users
  if [[ -n ${watcher:-} ]]; then wait "$watcher" || true; fi
  felt_in "$1"
  awk -v s="$begun" -v e="$ended" 'BEGIN { printf "%.2f ", e - s }'
  if [[ $2 == floor ]]; then echo "- -"; else of_the_run; fi
}

# most FILE COLUMN
most() { sort -g -k"$2","$2" "$1" | tail -1 | cut -d' ' -f"$2"; }
in_mib() { awk -v b="$1" 'BEGIN { printf "%.1f", b / 1048576 }'; }

for target in $targets; do
  : >"$scratch/memory"
  : >"$scratch/log.sizes"
  for ((i = 0; i < repeats; i++)); do
    beside "$target" floor >>"$scratch/beside.$target.floor"
    beside "$target" pgalter2 >>"$scratch/beside.$target.pgalter2"
  done
  for what in memory log.sizes; do cp "$scratch/$what" "$scratch/beside.$target.$what"; done
done

printf '| target | floor: seconds | pgalter2: seconds | x floor, by pairs (least to most) | copy, key, indexes: seconds | x floor, by pairs (least to most) | longest block ms | peak MiB | log, MiB | changed keys | log back |\n'
printf '|---|---|---|---|---|---|---|---|---|---|---|\n'
for target in $targets; do
  floor="$scratch/beside.$target.floor" ours="$scratch/beside.$target.pgalter2"
  sizes="$scratch/beside.$target.log.sizes"
  printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$target" "$(median "$floor" 1)" "$(median "$ours" 1)" \
    "$(pairs "$ours" 1 "$floor" 1 spread)" "$(median "$ours" 2)" "$(pairs "$ours" 2 "$floor" 1 spread)" \
    "$(most "$ours" 3)" "$(in_mib "$(($(most "$scratch/beside.$target.memory" 1) * 1024))")" \
    "$(in_mib "$(most "$sizes" 1)")" "$(in_mib "$(most "$sizes" 2)")" "$(in_mib "$(most "$sizes" 3)")"
done
printf '\nWhat users felt, all transactions of all repeats; ms from when they were due:\n\n'
printf '| target | while | transactions | p50 | p99 | longest |\n|---|---|---|---|---|---|\n'
for target in $targets; do
  for step in idle floor shadow capture copy key indexes verify cutover settle after; do
    file="$scratch/felt.$target.$step"
    [[ -s $file ]] || continue
    read -r p50 p99 longest < <(quantiles <"$file")
    printf '| %s | %s | %s | %s | %s | %s |\n' "$target" "$step" "$(wc -l <"$file")" "$p50" "$p99" "$longest"
  done
done
in_db postgres <<<"DROP DATABASE one WITH (FORCE)"
in_db postgres <<<"DROP DATABASE $from"
