# A plain table made anew with another definition, beside nothing: against one INSERT … SELECT into an
# empty table and then its key and indexes, which is the floor for any copy.
heading "Rebuild" "$rows rows, padding $padding, two secondary indexes, 'ALTER a TYPE bigint', median of $repeats, no writes"
printf '| key | method | seconds (min to max) | x floor | WAL MB | longest block ms |\n|---|---|---|---|---|---|\n'

floor() {
  in_db one <<SQL
CREATE TABLE made (LIKE events INCLUDING ALL EXCLUDING INDEXES);
ALTER TABLE made ALTER a TYPE bigint;
INSERT INTO made SELECT * FROM events;
ALTER TABLE made ADD PRIMARY KEY (id);
CREATE INDEX ON made (account_id, created_at);
CREATE INDEX ON made (created_at);
ANALYZE made;
SQL
}

rebuild() { "$pgalter" rebuild events --alter 'ALTER a TYPE bigint' --yes --workers "$1" --dsn "$(dsn one)"; }

check_rebuilt() {
  [[ $(in_db one <<<"SELECT count(*) FROM events") == "$rows" ]] || die "rows are missing"
}

for key in $keys; do
  from="$(template "$key" "$rows" "$padding")"
  for ((i = 0; i < repeats; i++)); do
    fresh "$from"
    printf '%s -\n' "$(timed floor)" >>"$scratch/rebuild.$key.floor"
    for workers in 1 2; do
      fresh "$from"
      printf '%s ' "$(timed rebuild "$workers")" >>"$scratch/rebuild.$key.pgalter$workers"
      check_rebuilt
      in_db one <<<"SELECT blocked_ms FROM pgalter.rebuild" >>"$scratch/rebuild.$key.pgalter$workers"
    done
  done
  least="$(median "$scratch/rebuild.$key.floor" 1)"
  for method in floor pgalter1 pgalter2; do
    file="$scratch/rebuild.$key.$method"
    printf '| %s | %s | %s (%s to %s) | %s | %s | %s |\n' "$key" "$method" "$(median "$file" 1)" \
      "$(sort -g "$file" | head -1 | cut -d' ' -f1)" "$(sort -g "$file" | tail -1 | cut -d' ' -f1)" \
      "$(awk -v a="$(median "$file" 1)" -v b="$least" 'BEGIN { printf "%.2f", a / b }')" \
      "$(median "$file" 2)" "$(median "$file" 3)"
  done
  in_db postgres <<<"DROP DATABASE one WITH (FORCE)"
  in_db postgres <<<"DROP DATABASE $from"
done
