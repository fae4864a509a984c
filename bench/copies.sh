# What a copy of `events` is measured beside, on database `one`: one INSERT … SELECT, then key, indexes and ANALYZE, which
# is the floor for any copy; the loop of the guides, 10,000 keys at a time into a table that has its indexes, without its
# pause; pg_repack, which can keep the definition only; pg_partman's partition_data_proc, a month at a time and without
# its pause, which deletes from the old table what it moves. TARGET is `plain`, where `a` becomes bigint, or `months`: a
# partition a month. Sourced by bench/run.

# `partman` where it is installed.
if_partman() { in_db postgres <<<"SELECT 'partman' FROM pg_available_extensions WHERE name = 'pg_partman'"; }

# months_of TABLE: a query for its partitions: those of all rows, and four more.
months_of() {
  cat <<SQL
SELECT format('CREATE TABLE %s_%s PARTITION OF %1\$s FOR VALUES FROM (%3\$L) TO (%4\$L);', '$1', to_char(m, 'YYYY_MM'), m,
  m + interval '1 month')
FROM (SELECT date_trunc('month', min(created_at)) AS a, max(created_at) AS b FROM events) r,
  generate_series(a, b + interval '4 months', interval '1 month') m
SQL
}

# made_empty TARGET: SQL.
made_empty() {
  case "$1" in
    plain) echo "CREATE TABLE made (LIKE events INCLUDING ALL EXCLUDING INDEXES); ALTER TABLE made ALTER a TYPE bigint;" ;;
    months)
      echo "CREATE TABLE made (LIKE events INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (created_at);"
      echo "$(months_of made) \\gexec"
      ;;
    *) die "unknown target $1" ;;
  esac
}

# key_of TARGET
key_of() { if [[ $1 == plain ]]; then echo "id"; else echo "id, created_at"; fi; }

# key_and_indexes TABLE TARGET: SQL.
key_and_indexes() {
  cat <<SQL
ALTER TABLE $1 ADD PRIMARY KEY ($(key_of "$2"));
CREATE INDEX ON $1 (account_id, created_at);
CREATE INDEX ON $1 (created_at);
SQL
}

# copy_floor TARGET
copy_floor() {
  {
    made_empty "$1"
    echo "INSERT INTO made SELECT * FROM events;"
    key_and_indexes made "$1"
    echo "ANALYZE made;"
  } | in_db one
}

# Numbers are counted up, as the guides have it; of other keys each page begins where the last one ended.
guides_pages() {
  if [[ $1 == bigint ]]; then
    cat <<SQL
DECLARE done bigint := 0; last bigint := (SELECT max(id) FROM events);
BEGIN
  WHILE done < last LOOP
    INSERT INTO made SELECT * FROM events WHERE id > done AND id <= done + 10000;
    done := done + 10000;
    COMMIT;
  END LOOP;
SQL
  else
    cat <<SQL
DECLARE last events.id%TYPE; upper events.id%TYPE;
BEGIN
  LOOP
    SELECT id INTO upper FROM (SELECT id FROM events WHERE last IS NULL OR id > last ORDER BY id LIMIT 10000) s
      ORDER BY id DESC LIMIT 1;
    EXIT WHEN upper IS NULL;
    INSERT INTO made SELECT * FROM events WHERE (last IS NULL OR id > last) AND id <= upper;
    COMMIT;
    last := upper;
  END LOOP;
SQL
  fi
}

# guides_loop TARGET KEY
guides_loop() {
  {
    made_empty "$1"
    key_and_indexes made "$1"
    echo "ANALYZE made;"
    printf 'DO $$\n%s\nEND $$;\n' "$(guides_pages "$2")"
  } | in_db one
}

partman() {
  {
    cat <<SQL
CREATE SCHEMA partman;
CREATE EXTENSION pg_partman SCHEMA partman;
ALTER TABLE events RENAME TO events_old;
CREATE TABLE events (LIKE events_old INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (created_at);
SQL
    key_and_indexes events months
    cat <<SQL
SELECT partman.create_parent('public.events', 'created_at', 'native', 'monthly',
  p_start_partition => (SELECT min(created_at)::text FROM events_old)) \g /dev/null
CALL partman.partition_data_proc('public.events', p_source_table => 'public.events_old', p_wait => 0, p_quiet => true);
ANALYZE events;
SQL
  } | in_db one
}

repack() {
  in_db one <<<"CREATE EXTENSION pg_repack"
  # It wants the parts of the connection string one by one.
  local host port user dbname
  eval "$(dsn one)"
  /usr/lib/postgresql/15/bin/pg_repack --no-order --table events --no-kill-backend --host "$host" --port "$port" \
    --username "$user" --dbname "$dbname"
}

# months_definition: what `rebuild --definition` makes monthly partitions by.
months_definition() {
  cat <<SQL
CREATE TABLE events (LIKE events INCLUDING DEFAULTS INCLUDING STORAGE, PRIMARY KEY ($(key_of months)))
  PARTITION BY RANGE (created_at);
$(months_of events | in_db one)
CREATE INDEX ON events (account_id, created_at);
CREATE INDEX ON events (created_at);
SQL
}

# rebuild_command TARGET WORKERS: into the array `rebuild_command`.
rebuild_command() {
  local what=(--alter 'ALTER a TYPE bigint')
  if [[ $1 == months ]]; then
    months_definition >"$scratch/months.sql"
    what=(--definition "$scratch/months.sql" --allow-weaker-keys)
  fi
  rebuild_command=("$pgalter" rebuild events "${what[@]}" --yes --workers "$2" --dsn "$(dsn one)")
}

rebuild_to() {
  rebuild_command "$@"
  "${rebuild_command[@]}"
}

# What of the run compares with the floor, in seconds, and the longest time that users were kept out, in ms.
of_the_run() {
  in_db one <<<"SELECT coalesce(round(sum(extract(epoch FROM ended_at - started_at)), 2)::text, '-') FROM pgalter.step
      WHERE kind IN ('copy', 'key', 'indexes');
    SELECT coalesce(substring(progress->>'remark' FROM 'most ([0-9]+) ms'), '-') FROM pgalter.run" | paste -sd ' '
}

# once NAME METHOD COMMAND…: on a fresh table; "seconds WAL-MB copied-in blocked" into $scratch/NAME.METHOD.
once() {
  local file="$scratch/$1.$2" figures
  fresh "$from"
  figures="$(timed "${@:3}")"
  if [[ $2 == partman || $2 == repack || $2 == pgalter* || $2 == attach ]]; then
    [[ $(in_db one <<<"SELECT count(*) FROM events") == "$rows" ]] || die "rows are missing after $2"
  fi
  case "$2" in
    pgalter* | attach) printf '%s %s\n' "$figures" "$(of_the_run)" ;;
    *) printf '%s - -\n' "$figures" ;;
  esac >>"$file"
}

copies_head() {
  printf '| key | target | method | seconds (min to max) | x floor, by pairs (least to most) | copy, key, indexes: seconds | x floor, by pairs (least to most) | WAL MB | longest block ms |\n'
  printf '|---|---|---|---|---|---|---|---|---|\n'
}

# copies_row NAME KEY TARGET METHOD FLOOR: of what `once` has collected.
copies_row() {
  local file="$scratch/$1.$4" floor="$scratch/$1.$5"
  printf '| %s | %s | %s | %s (%s to %s) | %s | %s | %s | %s | %s |\n' "$2" "$3" "$4" "$(median "$file" 1)" \
    "$(sort -g "$file" | head -1 | cut -d' ' -f1)" "$(sort -g "$file" | tail -1 | cut -d' ' -f1)" \
    "$(pairs "$file" 1 "$floor" 1 spread)" "$(median "$file" 3)" "$(pairs "$file" 3 "$floor" 1 spread)" \
    "$(median "$file" 2)" "$(median "$file" 4)"
}

# copies_ahead NAME KEY TARGET: how many times as fast as the others, by pairs.
copies_ahead() {
  local ours other
  for ours in pgalter1 pgalter2; do
    for other in loop partman; do
      [[ -s $scratch/$1.$ours && -s $scratch/$1.$other ]] || continue
      printf '%s, %s: %s is %s times as fast as %s, its copy, key and indexes %s times\n' "$2" "$3" "$ours" \
        "$(pairs "$scratch/$1.$other" 1 "$scratch/$1.$ours" 1)" "$other" \
        "$(pairs "$scratch/$1.$other" 1 "$scratch/$1.$ours" 3)"
    done
  done
}
