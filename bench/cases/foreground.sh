# A steady load of short transactions, beside every way to fill the column.
heading "Foreground" "$rate transactions/s (60 % reads, 35 % updates, 5 % inserts) on $rows rows; \
$seconds s each, median of $repeats; ms, from the moment a transaction was due"
from="$(template bigint "$rows" "$padding")"
mixed_users >"$scratch/mixed.sql"
situations=("idle" "pgalter1" "pgalter1 --throttle ratio=0.5" "pgalter2" "loop" "keyset" "idle")
for ((i = 0; i < repeats; i++)); do
  for n in "${!situations[@]}"; do
    read -r -a situation <<<"${situations[$n]}"
    fresh "$from"
    in_db one <<<"CREATE SEQUENCE new_events"
    felt "${situation[0]}" "$scratch/mixed.sql" "$rate" "${situation[@]:1}" >>"$scratch/felt.$n"
  done
done
printf '| beside | p50 | p99 | max | p99 x idle |\n|---|---|---|---|---|\n'
idle="$(cat "$scratch/felt.0" "$scratch/felt.$((${#situations[@]} - 1))" >"$scratch/idle"; median "$scratch/idle" 2)"
for n in "${!situations[@]}"; do
  file="$scratch/felt.$n"
  printf '| %s | %s | %s | %s | %s |\n' "${situations[$n]}" "$(median "$file" 1)" \
    "$(median "$file" 2)" "$(median "$file" 3)" \
    "$(awk -v a="$(median "$file" 2)" -v b="$idle" 'BEGIN {printf "%.1f", a / b}')"
done
