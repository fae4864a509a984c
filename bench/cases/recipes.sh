# What users feel of `pgalter run`, recipe by recipe: a steady load beside one reader who holds its
# transaction open for 30 s. An attempt at a lock lasts half a second at most, and so do users' waits.
heading "Recipes" "$rate transactions/s (60 % reads, 35 % updates, 5 % inserts) on $rows rows, beside a \
reader idle in its transaction for $idle_reader s; ms, from the moment a transaction was due; $repeats run(s) each"
from="$(template bigint "$rows" "$padding")"

# By names of columns: programs that live through every change below.
cat >"$scratch/recipes.sql" <<SQL
\\set id random(1, $rows)
\\set kind random(1, 100)
\\if :kind <= 60
SELECT a, payload FROM events WHERE id = :id;
\\elif :kind <= 95
UPDATE events SET payload = reverse(payload) WHERE id = :id;
\\else
INSERT INTO events (id, account_id, created_at, a, payload)
  VALUES ($rows + nextval('new_events'), 1 + :kind, now(), :kind, 'new');
\\endif
SQL

# NAME|how far|statement|what has to be there before. As far as programs of the old form go. A statement
# that begins with INTO is what --split is told.
parted='CREATE TABLE all_events (LIKE events INCLUDING ALL) PARTITION BY RANGE (id)'
attached="$parted; ALTER TABLE all_events ATTACH PARTITION events FOR VALUES FROM (MINVALUE) TO (2000000000)"
renamed="$attached; ALTER TABLE events RENAME TO events_1; ALTER TABLE all_events RENAME TO events;
  CREATE TABLE events_rest PARTITION OF events DEFAULT"
renamed="${renamed//$'\n'/}"
recipes="nothing||
as it is|contract|ALTER TABLE events ADD COLUMN n int NOT NULL DEFAULT 7
add-column|contract|ALTER TABLE events ADD COLUMN n uuid DEFAULT gen_random_uuid()
add-column serial|contract|ALTER TABLE events ADD COLUMN n bigserial
set-not-null|contract|ALTER TABLE events ALTER account_id SET NOT NULL
type-change|contract|ALTER TABLE events ALTER a TYPE bigint
add-check|contract|ALTER TABLE events ADD CONSTRAINT sane CHECK (a >= 0)
add-foreign-key|contract|ALTER TABLE events ADD CONSTRAINT fk FOREIGN KEY (account_id) REFERENCES accounts
add-unique|contract|ALTER TABLE events ADD CONSTRAINT once UNIQUE (id, account_id)
replace-key|contract|ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (id, account_id)
create-index|contract|CREATE INDEX ON events (a)
drop-index|contract|DROP INDEX events_created_at_idx
reindex|contract|REINDEX TABLE events
rename-column|migrate|ALTER TABLE events RENAME COLUMN created_at TO made_at
rename-table|migrate|ALTER TABLE events RENAME TO happenings
drop-column|migrate|ALTER TABLE events DROP COLUMN c
update-rows|contract|UPDATE events SET c = a + 1
row-security|migrate|ALTER TABLE events ENABLE ROW LEVEL SECURITY
rebuild|contract|VACUUM FULL events
rebuild unlogged|contract|ALTER TABLE events SET UNLOGGED
rebuild generated|contract|ALTER TABLE events ADD COLUMN g int GENERATED ALWAYS AS (a + 1) STORED
exclude|contract|ALTER TABLE events ADD CONSTRAINT once EXCLUDE USING btree (id WITH =)
add-primary-key|contract|ALTER TABLE events ADD PRIMARY KEY (id)|CREATE UNIQUE INDEX ON events (id);\
 ALTER TABLE events DROP CONSTRAINT events_pkey
attach-partition|contract|ALTER TABLE all_events ATTACH PARTITION events FOR VALUES FROM (0) TO (2000000000)|$parted
create-partition|contract|CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (2000000000) TO (3000000000)|$renamed
detach-partition|contract|ALTER TABLE all_events DETACH PARTITION events|$attached
create-index of partitions|contract|CREATE INDEX ON events (a)|$renamed
refresh-matview|contract|REFRESH MATERIALIZED VIEW sums|CREATE MATERIALIZED VIEW sums AS SELECT id, a FROM events;\
 CREATE UNIQUE INDEX ON sums (id)
domain-constraint|contract|ALTER DOMAIN quantity ADD CONSTRAINT sane CHECK (VALUE >= 0)|CREATE DOMAIN quantity AS bigint;\
 ALTER TABLE events ALTER c TYPE quantity
enum-value|contract|ALTER TYPE mood ADD VALUE 'sad'|CREATE TYPE mood AS ENUM ('glad'); ALTER TABLE events ADD mood mood
move-tablespace|contract|ALTER INDEX events_pkey SET TABLESPACE pg_default
rename-object|contract|ALTER SEQUENCE spare RENAME TO other|CREATE SEQUENCE spare
drop-object|contract|DROP VIEW all_of_it|CREATE VIEW all_of_it AS SELECT * FROM events
drop-table|migrate|DROP TABLE child|CREATE TABLE child (e bigint REFERENCES events)
split|contract|INTO events (c) INTO event_c"

prepare_recipe() {
  fresh "$from"
  in_db one <<<"$1; CREATE SEQUENCE new_events; CREATE TABLE accounts (id bigint PRIMARY KEY);
    INSERT INTO accounts SELECT generate_series(0, 200000);
    UPDATE events SET account_id = 0 WHERE account_id IS NULL; VACUUM ANALYZE accounts"
}

# recipe HOW_FAR STATEMENT BEFORE -> "p50 p99 max seconds"
recipe() {
  local reader="" begun ended=0 what=(--sql "$2")
  [[ $2 != INTO\ * ]] || what=(--split "${2#INTO }")
  prepare_recipe "$3"
  start_users "$scratch/recipes.sql" "$rate"
  { echo "BEGIN; SELECT FROM events WHERE id = 1;"; sleep "$idle_reader"; echo "COMMIT;"; } |
    in_db one >/dev/null &
  reader=$!
  sleep 1
  begun="$(date +%s.%N)"
  if [[ -n $2 ]]; then
    "$pgalter" run "${what[@]}" --through "$1" --lock-budget 120s --yes --dsn "$(dsn one)" \
      </dev/null >"$scratch/recipe.log" 2>&1 || die "$2 failed: $(cat "$scratch/recipe.log")"
  else
    wait "$reader"
  fi
  ended="$(date +%s.%N)"
  # The rest of the load tells nothing: it ends with the recipe, as at the end of its time.
  kill -ALRM "$users" || die "pgbench failed: $(cat "$scratch/pgbench.log")"
  wait "$reader" || true
  wait "$users" || true
  cat "$scratch"/users.* | awk '{print $3 / 1000}' | sort -g |
    awk -v s="$begun" -v e="$ended" '{v[NR] = $1}
      END {printf "%.2f %.2f %.0f %.0f\n", v[int((NR + 1) / 2)], v[int(NR * 0.99) + 1], v[NR], e - s}'
}

users_for=600
# A prepared statement whose column changes its type fails, whoever changes it.
protocol=simple
while IFS='|' read -r name far statement before; do
  [[ -z $only || " $only " == *" ${name// /-} "* ]] || continue
  for ((i = 0; i < repeats; i++)); do
    recipe "$far" "$statement" "$before" >>"$scratch/recipe.$name"
  done
done <<<"$recipes"
protocol=prepared users_for=""
printf '| recipe | p50 | p99 | longest | it took, s |\n|---|---|---|---|---|\n'
while IFS='|' read -r name _; do
  [[ -s $scratch/recipe.$name ]] || continue
  file="$scratch/recipe.$name"
  printf '| %s | %s | %s | %s | %s |\n' "$name" "$(median "$file" 1)" "$(median "$file" 2)" \
    "$(cut -d' ' -f3 "$file" | sort -g | tail -1)" "$(median "$file" 4)"
done <<<"$recipes"
