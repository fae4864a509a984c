# How long users wait at a swap, there and back, under their load: by the program's own figure, and by the longest
# transaction that met it. A rebuild into a plain table and into partitions, and a table that is attached as the first of
# partitions, by the number of them. `names`: a table of that definition, with all rows, trades names with the one in use by
# hand, in one transaction that does nothing else: what no swap can do without.
heading "Swaps" "$rate transactions/s (60 % reads, 35 % updates, 5 % inserts) on $rows rows, bigint key, two secondary indexes; ms, \
of a transaction from when it was due; of all: limits 15 ms median, 100 ms worst, up to 25 partitions"
from="$(template bigint "$rows" "$padding" years)"
mixed_users years >"$scratch/swaps.sql"

# ranges_of COUNT: a definition of as many partitions, each with as many rows.
ranges_of() {
  cat <<SQL
CREATE TABLE events (LIKE events INCLUDING DEFAULTS INCLUDING STORAGE, PRIMARY KEY (id, created_at))
  PARTITION BY RANGE (created_at);
$(in_db one <<<"SELECT format('CREATE TABLE events_%s PARTITION OF events FOR VALUES FROM (%s) TO (%s);', i,
    CASE i WHEN 1 THEN 'MINVALUE' ELSE quote_literal($(moment_of '(i - 1)' "$1")) END,
    CASE i WHEN $1 THEN 'MAXVALUE' ELSE quote_literal($(moment_of i "$1")) END) FROM generate_series(1, $1) i")
CREATE INDEX ON events (account_id, created_at);
CREATE INDEX ON events (created_at);
SQL
}

# change KIND COUNT: into the array `change`.
change() {
  case "$1" in
    rebuild)
      change=(rebuild events --alter 'ALTER a TYPE bigint')
      if (($2)); then
        ranges_of "$2" >"$scratch/ranges.sql"
        change=(rebuild events --definition "$scratch/ranges.sql" --allow-weaker-keys)
      fi
      ;;
    attach)
      change=(partition convert events --by 'range(created_at)' --every '1 month' --premake "$2" --strategy attach)
      ;;
  esac
}

# attempt COMMAND…: pgalter; false where the lock or the hold budget did not suffice (5).
attempt() {
  local code=0
  "$pgalter" "$@" --yes --dsn "$(dsn one)" >"$scratch/method.log" 2>&1 || code=$?
  ((code == 0 || code == 5)) || die "$* ended with $code: $(cat "$scratch/method.log")"
  return "$code"
}

# ready COUNT: what `names` trades with.
ready() {
  ranges_of "$1" | sed -E 's/\<events(_[0-9]+)?\>/made\1/g; s/LIKE made/LIKE events/' >"$scratch/ready.sql"
  in_db one <<SQL
\i $scratch/ready.sql
INSERT INTO made SELECT * FROM events;
ANALYZE made;
SQL
}

# trade FROM TO: users go on in what was TO.
trade() {
  in_db one <<SQL
BEGIN;
LOCK TABLE events, $2 IN ACCESS EXCLUSIVE MODE;
ALTER TABLE events RENAME TO $1;
ALTER TABLE $2 RENAME TO events;
COMMIT;
SQL
}

# names_there_and_back COUNT: a table that no session has met, each time.
names_there_and_back() {
  local way begun
  ready "$1"
  for way in there back; do
    begun="$(clock)"
    if [[ $way == there ]]; then trade was made; else trade made was; fi
    echo "$way - $begun $(clock)"
    sleep 0.3
  done
  in_db one <<<"DROP TABLE made"
}

# there_and_back: "there ms from to" and "back - from to" of one run, in seconds since 1970. Where it was not swapped: "not",
# once for each time, and the run is taken back, if need be by a second and third attempt; else this is false.
there_and_back() {
  local run begun tries swapped=1
  attempt "${change[@]}" || swapped=0
  run="$(in_db one <<<"SELECT run FROM pgalter.run ORDER BY created_at DESC LIMIT 1")" || die "no run"
  if ((!swapped)); then
    echo "not - - -"
    attempt abort "$run"
    return
  fi
  in_db one <<<"SELECT format('there %s %s %s', substring(progress->>'remark' FROM 'most ([0-9]+) ms'),
      extract(epoch FROM s.started_at), extract(epoch FROM s.ended_at))
    FROM pgalter.run r JOIN pgalter.step s USING (run) WHERE run = '$run' AND s.kind IN ('cutover', 'partition-attach')" || die "no swap"
  for ((tries = 0; tries < 3; tries++)); do
    begun="$(clock)"
    if attempt revert "$run"; then
      echo "back - $begun $(clock)"
      return
    fi
    echo "not - - -"
  done
  return 1
}

# nothing COUNT: as many half seconds in which nothing happens: what the machine does by itself.
nothing() {
  local i begun
  for ((i = 0; i < $1; i++)); do
    begun="$(clock)"
    sleep 0.5
    echo "there - $begun $(clock)"
  done
}

# met FILE: each line of FILE ("way ms from to") as "way ms longest", of the transactions that were due or ended in it, or
# in the tenth of a second behind it, as the time of a swap is noted before its commit.
met() {
  awk -v file="$1" '
    BEGIN { while ((getline line < file) > 0) { split(line, f, " "); n++; way[n] = f[1]; own[n] = f[2]; from[n] = f[3]; until[n] = f[4] } }
    {
      end = $5 + $6 / 1e6; due = end - $3 / 1e6
      for (i = 1; i <= n; i++)
        if (end >= from[i] && due <= until[i] + 0.1 && $3 > longest[i]) longest[i] = $3
    }
    END { for (i = 1; i <= n; i++) if (way[i] != "not") printf "%s %s %.1f\n", way[i], own[i], longest[i] / 1000 }' \
    <(cat "$scratch"/users.*)
}

# other_tables COUNT: in the same database, as what is asked of its catalogs is asked under the locks.
other_tables() {
  (($1)) || return 0
  in_db one <<SQL
CREATE PROCEDURE make_others() LANGUAGE plpgsql AS \$\$ BEGIN
  FOR i IN 1..$1 LOOP
    EXECUTE format('CREATE TABLE other_%s (id int PRIMARY KEY, a text, b int DEFAULT 0 CHECK (b >= 0))', i);
    IF i % 500 = 0 THEN COMMIT; END IF;
  END LOOP;
END \$\$;
CALL make_others();
VACUUM (ANALYZE);
CHECKPOINT;
SQL
}

# series KIND COUNT TIMES
series() {
  local i windows="$scratch/windows" file="$scratch/swaps.$1.$2"
  fresh "$from"
  in_db one <<<"CREATE SEQUENCE new_events"
  other_tables "$others"
  case "$1" in
    nothing | names) ;;
    *) change "$1" "$2" ;;
  esac
  users_for=7200 protocol=simple start_users "$scratch/swaps.sql" "$rate"
  sleep 2
  case "$1" in
    nothing) nothing "$3" ;;
    names) for ((i = 0; i < $3; i++)); do names_there_and_back "$2"; done ;;
    *) for ((i = 0; i < $3; i++)); do there_and_back || break; done ;;
  esac >"$windows"
  sleep 1
  stop_users
  met "$windows" >"$file"
  grep -c '^not' "$windows" >"$file.not" || true
}

# of_way FILE WAY COLUMN: "median | worst"
of_way() {
  awk -v way="$2" -v c="$3" '$1 == way && $c != "-" { print $c }' "$1" | sort -g |
    awk '{ v[NR] = $1 } END { if (NR) printf "%s | %s", v[int((NR + 1) / 2)], v[NR]; else printf "- | -" }'
}

# row KIND COUNT
row() {
  local file="$scratch/swaps.$1.$2"
  printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$1" "$2" "$(grep -c '^there' "$file" || true)" "$(cat "$file.not")" \
    "$(of_way "$file" there 2)" "$(of_way "$file" there 3)" "$(of_way "$file" back 3)"
}

printf '| what | partitions | times | not swapped | its own figure: median | worst | users there: median | worst | users back: median | worst |\n'
printf '|---|---|---|---|---|---|---|---|---|---|\n'
series nothing - "$swaps"
row nothing -
# The limit is up to 25; the rest of the curve needs less.
for kind in $(chosen rebuild attach names); do
  for count in $leaves; do
    times="$swaps"
    [[ $count == 0 || $count == 25 ]] || times=$(((swaps + 9) / 10))
    series "$kind" "$count" "$times"
    row "$kind" "$count"
  done
done
in_db postgres <<<"DROP DATABASE one WITH (FORCE)"
in_db postgres <<<"DROP DATABASE $from"
