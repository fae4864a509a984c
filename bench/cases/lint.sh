# `pgalter lint` beside squawk: CPU time and memory over a thousand files, one long file, one small
# file. Needs no server. Squawk comes from npm, once; without npm its rows stay empty.
squawk_version=2.66.0
squawk=""
files="${files:-1000}" long_files="${long_files:-10000 20000 40000 80000}"

fetch_squawk() {
  local cache="$root/.cache/squawk-$squawk_version" log="$scratch/npm.log" part
  if [[ ! -x $cache/squawk ]]; then
    mkdir -p "$cache"
    part="$(mktemp -d "$cache/fetch-XXXXXX")"
    if ! npm pack --loglevel=error --pack-destination "$part" \
      "@squawk-cli/linux-x64@$squawk_version" >"$log" 2>&1; then
      echo "squawk cannot be fetched: $(tail -n 1 "$log")" >&2
      rm -rf "$part"
      return
    fi
    tar -xzf "$part"/*.tgz -C "$part" --strip-components=1
    mv "$(find "$part" -name squawk -type f)" "$cache/squawk"
    chmod +x "$cache/squawk"
    rm -rf "$part"
  fi
  squawk="$cache/squawk"
}

# changes NUMBER: to the table of the migration before.
changes() {
  local before="t$(($1 - 1))"
  (($1 > 1)) || return 0
  cat <<SQL
ALTER TABLE $before ADD COLUMN note$1 text DEFAULT 'none';
ALTER TABLE $before ADD CONSTRAINT ${before}_amount CHECK (amount >= 0) NOT VALID;
COMMENT ON COLUMN $before.note$1 IS 'free text of the region';
SQL
  if (($1 % 5 == 0)); then echo "CREATE INDEX ${before}_state ON $before (state) WHERE state <> 'sent';"; fi
  if (($1 % 7 == 0)); then echo "ALTER TABLE $before ALTER COLUMN note$1 SET NOT NULL;"; fi
}

# migrations COUNT FOLDER: each makes a table and changes that of the one before.
migrations() {
  local n
  for ((n = 1; n <= $1; n++)); do
    cat <<SQL >"$(printf '%s/%06d_change.sql' "$2" "$n")"
-- Migration $n: orders of region $n and what belongs to them.
SET lock_timeout = '2s';
CREATE TABLE t$n (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id bigint NOT NULL,
  state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'paid', 'sent')),
  amount numeric(12, 2) NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz,
  details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX t${n}_account ON t$n (account_id, created_at DESC);
COMMENT ON TABLE t$n IS 'orders of region $n, as the shop has sent them';
$(changes "$n")
INSERT INTO t$n (account_id, amount) SELECT g, g * 2 FROM generate_series(1, 10) g;
SQL
  done
}

# statements COUNT: one file, of four statements again and again.
statements() {
  awk -v count="$1" 'BEGIN {
    for (n = 1; n <= count / 4; n++) {
      print "CREATE TABLE s" n " (id bigint PRIMARY KEY, a int NOT NULL, b text);"
      print "CREATE INDEX s" n "_a ON s" n " (a);"
      print "ALTER TABLE s" n " ADD COLUMN c timestamptz NOT NULL DEFAULT now();"
      print "UPDATE s" n " SET b = upper(b) WHERE id = " n ";"
    }
  }'
}

# cost TIMES COMMAND…: "CPU-seconds wall-seconds peak-MiB" of one of them. 1 and 3 are what findings
# end with. Squawk needs minutes for a long file: what takes more than a minute is not waited for.
cost() {
  local times="$1" i status
  shift
  timeout 60 "$@" >/dev/null 2>&1 && status=0 || status=$?
  if ((status == 124)); then
    echo ">60 >60 -"
    return
  fi
  ((status == 0 || status == 1 || status == 3)) || die "$* failed"
  TIMEFORMAT='%U %S %R'
  { time for ((i = 0; i < times; i++)); do
    "$@" >/dev/null 2>&1 || true
  done; } 2>"$scratch/time"
  "$@" >/dev/null 2>&1 &
  local process=$! peak=0 now
  while now="$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$process/status" 2>/dev/null)" &&
    [[ -n $now ]]; do peak=$now; done
  wait "$process" || true
  awk -v n="$times" -v kb="$peak" '{printf "%.4f %.4f %.1f\n", ($1 + $2) / n, $3 / n, kb / 1024}' \
    "$scratch/time"
}

fetch_squawk
mkdir -p "$scratch/many" "$scratch/one"
migrations "$files" "$scratch/many"
for count in $long_files; do statements "$count" >"$scratch/one/$count.sql"; done
cp "$scratch/many/000010_change.sql" "$scratch/one/small.sql"

printf '\n## Lint\n\nmedian of %d, which take turns; squawk %s; %d processors, load at the start %s\n\n' \
  "$repeats" "$squawk_version" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
printf '| what | KiB | pgalter: CPU s | s | MiB | squawk: CPU s | s | MiB |\n|---|---|---|---|---|---|---|---|\n'

# row LABEL TIMES PATH…
row() {
  local label="$1" times="$2" file="$scratch/lint.${1// /_}" size
  shift 2
  for ((turn = 0; turn < repeats; turn++)); do
    cost "$times" "$pgalter" lint --server-version 15 "$@" >>"$file.pgalter"
    # Once is enough to know what takes more than a minute.
    if [[ -n $squawk && $(cat "$file.squawk" 2>/dev/null) != ">"* ]]; then
      cost "$times" "$squawk" --pg-version 15 "$@" >>"$file.squawk"
    fi
  done
  size="$(cat "$@" | wc -c)"
  printf '| %s | %d |' "$label" $((size / 1024))
  for tool in pgalter squawk; do
    for column in 1 2 3; do
      if [[ -s $file.$tool ]]; then
        printf ' %s |' "$(median "$file.$tool" "$column")"
      else
        printf ' |'
      fi
    done
  done
  printf '\n'
}

row "one small file" 20 "$scratch/one/small.sql"
row "$files files" 1 "$scratch"/many/*.sql
for count in $long_files; do row "$count statements" 1 "$scratch/one/$count.sql"; done
