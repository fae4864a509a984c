# What `pgalter serve` costs while 32 pages watch a run that moves, and its memory.
heading "Dashboard" "32 pages that are told of each change, beside a run that beats once a second; $seconds s"
fresh "$(template bigint "$rows" "$padding")"
PGALTER_DSN="$(dsn one)"
export PGALTER_DSN
"$pgalter" backfill events --set 'c = a + 1' --yes --xmin-wait 0s --throttle ratio=0.02 >"$scratch/run" 2>&1 &
runner=$!
"$pgalter" serve --listen 127.0.0.1:0 >"$scratch/url" 2>"$scratch/serve" &
dashboard=$!
until [[ -s $scratch/url ]]; do sleep 0.1; done
url="$(head -1 "$scratch/url")"
pages=()
for ((i = 0; i < 32; i++)); do
  curl -sN "${url}api/events" >"$scratch/events.$i" &
  pages+=($!)
done
sleep 3
# utime and stime, in ticks.
ticks() { awk '{ print $14 + $15 }' "/proc/$dashboard/stat"; }
events() { cat "$scratch"/events.* | grep -c '^event: runs'; }
before="$(ticks)" events_before="$(events)"
sleep "$seconds"
used=$(($(ticks) - before)) told=$(($(events) - events_before))
printf '| what | figure |\n|---|---|\n'
awk -v used="$used" -v hz="$(getconf CLK_TCK)" -v s="$seconds" -v told="$told" 'BEGIN {
  printf "| of one core | %.1f %% |\n| events a second and page | %.2f |\n", 100 * used / hz / s, told / s / 32 }'
awk '/VmRSS/ { printf "| memory | %.1f MB |\n", $2 / 1024 }' "/proc/$dashboard/status"
kill "${pages[@]}" "$dashboard" "$runner" 2>/dev/null || true
wait 2>/dev/null || true
unset PGALTER_DSN
