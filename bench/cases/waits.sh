# The longest wait of one user, where it is hardest to keep short. A chunk holds its rows for at
# most the chunk time (100 ms); the aim is twice that.
heading "Longest waits" "updates by primary key, 200/s, $seconds s each, the worst of $repeats; ms; \
chunk time 100 ms"
from="$(template bigint "$rows" "$padding")"

# Updates of rows between two shares of the table.
users_between() {
  printf '%s\n' "\\set id random(1 + $1 * $rows / 100, $2 * $rows / 100)" \
    "UPDATE events SET payload = reverse(payload) WHERE id = :id;"
}
users_between 0 100 >"$scratch/anywhere.sql"
users_between 70 100 >"$scratch/dead.sql"
printf '%s\n' "\\set id 1 + random(1, 20) * $rows / 21" \
  "UPDATE events SET payload = reverse(payload) WHERE id = :id;" >"$scratch/hot.sql"
printf '%s\n' "\\set id 2 + 500 * random(0, $rows / 500 - 1)" \
  "UPDATE events SET payload = reverse(payload) WHERE id = :id;" >"$scratch/held.sql"

prepare() {
  case "$1" in
    dead)
      in_db one <<<"ALTER TABLE events SET (autovacuum_enabled = off);
        DELETE FROM events WHERE id BETWEEN 0.1 * $rows AND 0.7 * $rows"
      ;;
    held)
      { echo "BEGIN; SELECT FROM events WHERE id % 500 = 1 FOR UPDATE;"; sleep $((seconds + 5)); } |
        in_db one >/dev/null 2>&1 &
      sleep 2
      ;;
  esac
}

printf '| situation | beside | p50 | p99 | longest |\n|---|---|---|---|---|\n'
for situation in anywhere dead hot held; do
  for method in idle pgalter1 pgalter2; do
    for ((i = 0; i < repeats; i++)); do
      fresh "$from"
      prepare "$situation"
      felt "$method" "$scratch/$situation.sql" 200 >>"$scratch/$situation.$method"
    done
    file="$scratch/$situation.$method"
    printf '| %s | %s | %s | %s | %s |\n' "$situation" "$method" "$(median "$file" 1)" \
      "$(median "$file" 2)" "$(cut -d' ' -f3 "$file" | sort -g | tail -1)"
  done
done
