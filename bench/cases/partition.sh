# A plain table made partitioned by months, beside nothing. Attached: against the index and the scan that no way around a
# copy can do without. Copied: against what else copies it (bench/copies.sh).
heading "Partition" "$rows rows, padding $padding, two secondary indexes, a partition a month, median of $repeats in turn, \
no writes; limits: attached 1.2 x its floor and 30 ms; copied by two workers 1.6 x its floor, its copy, key and indexes \
1.1 x; 1.8 and 2.5 times as fast as loop and partman"
copies_head

attach_floor() {
  in_db one <<SQL
CREATE UNIQUE INDEX CONCURRENTLY wide ON events (id, created_at);
ALTER TABLE events ADD CONSTRAINT bound CHECK (created_at < now() + interval '1 year') NOT VALID;
ALTER TABLE events VALIDATE CONSTRAINT bound;
SQL
}

# convert STRATEGY [options…]
convert() {
  "$pgalter" partition convert events --by 'range(created_at)' --every '1 month' --strategy "$@" --yes --dsn "$(dsn one)"
}

# convert_by METHOD KEY
convert_by() {
  case "$1" in
    attach_floor) attach_floor ;;
    attach) convert attach ;;
    floor) copy_floor months ;;
    loop) guides_loop months "$2" ;;
    partman) partman ;;
    pgalter[1-9]) convert copy --workers "${1#pgalter}" ;;
  esac
}

floor_of() { if [[ $1 == attach* ]]; then echo attach_floor; else echo floor; fi; }

# shellcheck disable=SC2046
mapfile -t wanted < <(chosen attach_floor attach floor loop $(if_partman) pgalter1 pgalter2)
: >"$scratch/partition.ahead"
for key in $keys; do
  from="$(template "$key" "$rows" "$padding" years)"
  name="partition.$key"
  for ((i = 0; i < repeats; i++)); do
    for method in "${wanted[@]}"; do once "$name" "$method" convert_by "$method" "$key"; done
  done
  for method in "${wanted[@]}"; do copies_row "$name" "$key" months "$method" "$(floor_of "$method")"; done
  copies_ahead "$name" "$key" months >>"$scratch/partition.ahead"
  in_db postgres <<<"DROP DATABASE one WITH (FORCE)"
  in_db postgres <<<"DROP DATABASE $from"
done
printf '\n'
cat "$scratch/partition.ahead"
[[ -n $(if_partman) ]] || printf 'pg_partman is not installed: postgresql-15-partman\n'
