# A plain table made partitioned by days, beside nothing. Attached: against the index and the scan that no way around a
# copy can do without. Copied: against one INSERT … SELECT into empty partitions and then key and indexes, which is
# the floor for any copy; against the loop of the guides, 10,000 keys at a time; and against pg_partman's
# partition_data_proc, a day at a time and without its pause, which deletes from the old table what it moves.
heading "Partition" "$rows rows, padding $padding, two secondary indexes, a partition a day, median of $repeats, no writes"
printf '| key | method | seconds (min to max) | x its floor | WAL MB | longest block ms |\n|---|---|---|---|---|---|\n'

attach_floor() {
  in_db one <<SQL
CREATE UNIQUE INDEX CONCURRENTLY wide ON events (id, created_at);
ALTER TABLE events ADD CONSTRAINT bound CHECK (created_at < now() + interval '1 year') NOT VALID;
ALTER TABLE events VALIDATE CONSTRAINT bound;
SQL
}

# The empty table with its partitions, as `pgalter partition convert --strategy copy` would have them.
empty_parts() {
  cat <<SQL
CREATE TABLE made (LIKE events INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (created_at);
SELECT format('CREATE TABLE made_%s PARTITION OF made FOR VALUES FROM (%L) TO (%L)', to_char(d, 'YYYY_MM_DD'), d,
  d + interval '1 day')
FROM (SELECT date_trunc('day', min(created_at)) AS a, date_trunc('day', max(created_at)) AS b FROM events) r,
  generate_series(a, b + interval '4 days', interval '1 day') d \gexec
SQL
}

keys_and_indexes() {
  cat <<SQL
ALTER TABLE made ADD PRIMARY KEY (id, created_at);
CREATE INDEX ON made (account_id, created_at);
CREATE INDEX ON made (created_at);
ANALYZE made;
SQL
}

copy_floor() {
  { empty_parts; echo "INSERT INTO made SELECT * FROM events;"; keys_and_indexes; } | in_db one
}

# With its indexes from the start, as the guides have it; without their pause between two chunks.
loop() {
  {
    empty_parts
    keys_and_indexes
    cat <<SQL
DO \$\$
DECLARE done bigint := 0; last bigint := (SELECT max(id) FROM events);
BEGIN
  WHILE done < last LOOP
    INSERT INTO made SELECT * FROM events WHERE id > done AND id <= done + 10000;
    done := done + 10000;
    COMMIT;
  END LOOP;
END \$\$;
SQL
  } | in_db one
}

partman() {
  {
    cat <<SQL
CREATE SCHEMA partman;
CREATE EXTENSION pg_partman SCHEMA partman;
ALTER TABLE events RENAME TO events_old;
CREATE TABLE events (LIKE events_old INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (created_at);
ALTER TABLE events ADD PRIMARY KEY (id, created_at);
CREATE INDEX ON events (account_id, created_at);
CREATE INDEX ON events (created_at);
SELECT partman.create_parent('public.events', 'created_at', 'native', 'daily',
  p_start_partition => (SELECT min(created_at)::text FROM events_old)) \g /dev/null
CALL partman.partition_data_proc('public.events', p_source_table => 'public.events_old', p_wait => 0, p_quiet => true);
ANALYZE events;
SQL
  } | in_db one
}

attach() {
  "$pgalter" partition convert events --by 'range(created_at)' --every '1 day' --strategy attach --yes --dsn "$(dsn one)"
}
copy() {
  "$pgalter" partition convert events --by 'range(created_at)' --every '1 day' --strategy copy --workers "$1" --yes \
    --dsn "$(dsn one)"
}

blocked() {
  in_db one <<<"SELECT coalesce(substring(progress->>'remark' FROM 'most ([0-9]+) ms'), '-') FROM pgalter.run"
}

# row KEY METHOD FLOOR
row() {
  local file="$scratch/partition.$1.$2"
  printf '| %s | %s | %s (%s to %s) | %s | %s | %s |\n' "$1" "$2" "$(median "$file" 1)" \
    "$(sort -g "$file" | head -1 | cut -d' ' -f1)" "$(sort -g "$file" | tail -1 | cut -d' ' -f1)" \
    "$(awk -v a="$(median "$file" 1)" -v b="$(median "$scratch/partition.$1.$3" 1)" 'BEGIN { printf "%.2f", a / b }')" \
    "$(median "$file" 2)" "$(median "$file" 3)"
}

# measure KEY METHOD COMMAND…
measure() {
  local key="$1" method="$2" figures
  shift 2
  fresh "$from"
  in_db one <<<"ALTER TABLE events ALTER created_at SET NOT NULL"
  figures="$(timed "$@")"
  if [[ $method == partman || $method == pgalter-* ]]; then
    [[ $(in_db one <<<"SELECT count(*) FROM events") == "$rows" ]] || die "rows are missing after $method"
  fi
  if [[ $method == pgalter-* ]]; then
    printf '%s %s\n' "$figures" "$(blocked)"
  else
    printf '%s -\n' "$figures"
  fi >>"$scratch/partition.$key.$method"
}

# ahead KEY METHOD…: how much faster the whole run of pgalter is than theirs.
ahead() {
  local key="$1" method
  shift
  for method in "$@"; do
    [[ -e $scratch/partition.$key.$method ]] || continue
    awk -v key="$key" -v method="$method" -v theirs="$(median "$scratch/partition.$key.$method" 1)" \
      -v ours="$(median "$scratch/partition.$key.pgalter-copy-2" 1)" \
      'BEGIN { printf "%s: pgalter-copy-2 is %.2f times as fast as %s\n", key, theirs / ours, method }'
  done
}

has_partman="$(in_db postgres <<<"SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_partman'")"
for key in $keys; do
  from="$(template "$key" "$rows" "$padding")"
  for ((i = 0; i < repeats; i++)); do
    measure "$key" attach-floor attach_floor
    measure "$key" pgalter-attach attach
    measure "$key" copy-floor copy_floor
    if [[ $key == bigint ]]; then measure "$key" loop loop; fi
    if ((has_partman)); then measure "$key" partman partman; fi
    measure "$key" pgalter-copy-1 copy 1
    measure "$key" pgalter-copy-2 copy 2
  done
  row "$key" attach-floor attach-floor
  row "$key" pgalter-attach attach-floor
  row "$key" copy-floor copy-floor
  if [[ $key == bigint ]]; then row "$key" loop copy-floor; fi
  if ((has_partman)); then row "$key" partman copy-floor; fi
  row "$key" pgalter-copy-1 copy-floor
  row "$key" pgalter-copy-2 copy-floor
  in_db postgres <<<"DROP DATABASE one WITH (FORCE)"
  in_db postgres <<<"DROP DATABASE $from"
done
printf '\n'
for key in $keys; do ahead "$key" loop partman; done
((has_partman)) || printf 'pg_partman is not installed: postgresql-15-partman\n'
