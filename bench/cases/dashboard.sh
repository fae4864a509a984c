# What `pgalter serve` costs while 32 pages watch a run that moves, beside 200 that have ended and thirty days of
# samples of one; its memory; and how long that page's curves take. With --seconds 600 a soak.
heading "Dashboard" "32 pages that are told of each change, beside a run that beats once a second; 200 runs, 30 days of samples; $seconds s"
fresh "$(template bigint "$rows" "$padding")"
PGALTER_DSN="$(dsn one)"
export PGALTER_DSN
"$pgalter" backfill events --set 'c = a + 1' --yes --xmin-wait 0s --throttle ratio=0.02 >"$scratch/run" 2>&1 &
runner=$!
until [[ $(in_db one <<<"SELECT to_regclass('pgalter.sample') IS NOT NULL AND EXISTS (SELECT FROM pg_stat_activity
  WHERE application_name LIKE 'pgalter/%')") == t ]]; do sleep 0.1; done
old="$(in_db one <<'SQL'
WITH r AS (INSERT INTO pgalter.run (run, command, target, relid, spec, state, phase, done_rows, total_rows)
  SELECT gen_random_uuid(), 'backfill', 'public.old_' || g, 0, '{}', 'done', 'done', g, g FROM generate_series(1, 200) g
  RETURNING run, target),
l AS (INSERT INTO pgalter.lease (run, epoch, owner) SELECT run, 1, '' FROM r),
c AS (INSERT INTO pgalter.control (run) SELECT run FROM r),
s AS (INSERT INTO pgalter.sample SELECT run, now() - g * interval '10 s', g, g % 100, 1, '',
  jsonb_build_object('chunk_ms', g % 90, 'chunk_rows', 500, 'commit_ms', 2, 'lag_s', jsonb_build_object('one', g % 9))
  FROM r, generate_series(1, 259200) g WHERE target = 'public.old_1')
SELECT run FROM r WHERE target = 'public.old_1';
SQL
)"
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
memory() { awk '/VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$dashboard/status"; }
curves="$(curl -s -o /dev/null -w '%{time_total}' "${url}api/runs/$old?points=600")"
sleep 5
memory_before="$(memory)" before="$(ticks)" events_before="$(events)"
sleep "$seconds"
used=$(($(ticks) - before)) told=$(($(events) - events_before))
printf '| what | figure |\n|---|---|\n'
awk -v used="$used" -v hz="$(getconf CLK_TCK)" -v s="$seconds" -v told="$told" 'BEGIN {
  printf "| of one core | %.1f %% |\n| events a second and page | %.2f |\n", 100 * used / hz / s, told / s / 32 }'
printf '| memory, at the start and after %s s | %s, %s MB |\n' "$seconds" "$memory_before" "$(memory)"
printf '| 259,200 samples as 600 points | %s s |\n' "$curves"
kill "${pages[@]}" "$dashboard" "$runner" 2>/dev/null || true
wait 2>/dev/null || true
unset PGALTER_DSN
