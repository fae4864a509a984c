# A plain table made partitioned by days, beside nothing. Attached: against the index and the scan that no way around a
# copy can do without. Copied: against one INSERT … SELECT into empty partitions and then key and indexes, which is
# the floor for any copy; and against the loop of the guides, 10,000 keys at a time.
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
  if [[ $method == pgalter-* ]]; then
    [[ $(in_db one <<<"SELECT count(*) FROM events") == "$rows" ]] || die "rows are missing"
    printf '%s %s\n' "$figures" "$(blocked)"
  else
    printf '%s -\n' "$figures"
  fi >>"$scratch/partition.$key.$method"
}

for key in $keys; do
  from="$(template "$key" "$rows" "$padding")"
  for ((i = 0; i < repeats; i++)); do
    measure "$key" attach-floor attach_floor
    measure "$key" pgalter-attach attach
    measure "$key" copy-floor copy_floor
    if [[ $key == bigint ]]; then measure "$key" loop loop; fi
    measure "$key" pgalter-copy-1 copy 1
    measure "$key" pgalter-copy-2 copy 2
  done
  row "$key" attach-floor attach-floor
  row "$key" pgalter-attach attach-floor
  row "$key" copy-floor copy-floor
  if [[ $key == bigint ]]; then row "$key" loop copy-floor; fi
  row "$key" pgalter-copy-1 copy-floor
  row "$key" pgalter-copy-2 copy-floor
  in_db postgres <<<"DROP DATABASE one WITH (FORCE)"
  in_db postgres <<<"DROP DATABASE $from"
done
