# Cost per row must not grow with the table, nor pgalter's memory.
heading "Scale" "padding $padding, bigint key, one run each, one worker"
printf '| rows | seconds | us/row | heap %% | index %% | pgalter, peak MiB |\n|---|---|---|---|---|---|\n'

for factor in 1 2 5 10 20; do
  count=$((rows * factor))
  from="$(template bigint "$count" "$padding")"
  fresh "$from"
  in_db postgres <<<"DROP DATABASE $from"
  : >"$scratch/memory"
  before="$(in_db one <<<"SELECT pg_relation_size('events'), pg_indexes_size('events')")"
  begun="$(date +%s.%N)"
  "$pgalter" backfill events --set 'c = a + 1' --sync none --yes --dsn "$(dsn one)" \
    >"$scratch/method.log" 2>&1 &
  worker=$!
  watch_memory "$worker"
  wait "$worker" || die "pgalter failed: $(cat "$scratch/method.log")"
  ended="$(date +%s.%N)"
  check_rows pgalter1
  awk -F'|' -v n="$count" -v s="$begun" -v e="$ended" -v kb="$(sort -n "$scratch/memory" | tail -1)" \
    -v after="$(in_db one <<<"SELECT pg_relation_size('events'), pg_indexes_size('events')")" '{
      split(after, now, "|")
      printf "| %d | %.1f | %.2f | %+.1f | %+.1f | %.1f |\n", n, e - s, (e - s) / n * 1e6,
        100 * (now[1] / $1 - 1), 100 * (now[2] / $2 - 1), kb / 1024
    }' <<<"$before"
done
