# A plain table made anew with another definition, beside nothing: against one INSERT … SELECT into an
# empty table and then its key and indexes, which is the floor for any copy; against the loop of the guides, 10,000
# keys at a time into a table that has its indexes; and against pg_repack, which can keep the definition only.
heading "Rebuild" "$rows rows, padding $padding, two secondary indexes, 'ALTER a TYPE bigint', median of $repeats, no writes"
printf '| key | method | seconds (min to max) | x floor | copy, key, indexes: seconds | x floor | WAL MB | longest block ms |\n'
printf '|---|---|---|---|---|---|---|---|\n'

empty_copy() {
  echo "CREATE TABLE made (LIKE events INCLUDING ALL EXCLUDING INDEXES); ALTER TABLE made ALTER a TYPE bigint;"
}

key_and_indexes() {
  cat <<SQL
ALTER TABLE made ADD PRIMARY KEY (id);
CREATE INDEX ON made (account_id, created_at);
CREATE INDEX ON made (created_at);
SQL
}

floor() {
  { empty_copy; echo "INSERT INTO made SELECT * FROM events;"; key_and_indexes; echo "ANALYZE made;"; } | in_db one
}

# Whatever the key is: pages of it, each from where the last one ended.
guides_loop() {
  {
    empty_copy
    key_and_indexes
    cat <<SQL
DO \$\$
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
END \$\$;
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

rebuild() { "$pgalter" rebuild events --alter 'ALTER a TYPE bigint' --yes --workers "$1" --dsn "$(dsn one)"; }

# What compares with the floor step by step, and the longest time that users were kept out.
of_the_run() {
  [[ $(in_db one <<<"SELECT count(*) FROM events") == "$rows" ]] || die "rows are missing"
  in_db one <<<"SELECT round(sum(extract(epoch FROM ended_at - started_at)), 2) FROM pgalter.step
      WHERE kind IN ('copy', 'key', 'indexes');
    SELECT substring(progress->>'remark' FROM 'most ([0-9]+) ms') FROM pgalter.run" | paste -sd ' '
}

# once METHOD COMMAND…
once() {
  local method="$1" figures
  shift
  fresh "$from"
  figures="$(timed "$@")"
  case "$method" in
    pgalter*) printf '%s %s\n' "$figures" "$(of_the_run)" ;;
    *) printf '%s - -\n' "$figures" ;;
  esac >>"$scratch/rebuild.$key.$method"
}

times_floor() { awk -v a="$1" -v b="$least" 'BEGIN { if (a == "-") print "-"; else printf "%.2f", a / b }'; }

for key in $keys; do
  from="$(template "$key" "$rows" "$padding")"
  for ((i = 0; i < repeats; i++)); do
    once floor floor
    once loop guides_loop
    once pg_repack repack
    once pgalter1 rebuild 1
    once pgalter2 rebuild 2
  done
  least="$(median "$scratch/rebuild.$key.floor" 1)"
  for method in floor loop pg_repack pgalter1 pgalter2; do
    file="$scratch/rebuild.$key.$method"
    printf '| %s | %s | %s (%s to %s) | %s | %s | %s | %s | %s |\n' "$key" "$method" "$(median "$file" 1)" \
      "$(sort -g "$file" | head -1 | cut -d' ' -f1)" "$(sort -g "$file" | tail -1 | cut -d' ' -f1)" \
      "$(times_floor "$(median "$file" 1)")" "$(median "$file" 3)" "$(times_floor "$(median "$file" 3)")" \
      "$(median "$file" 2)" "$(median "$file" 4)"
  done
  in_db postgres <<<"DROP DATABASE one WITH (FORCE)"
  in_db postgres <<<"DROP DATABASE $from"
done
