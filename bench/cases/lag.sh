# A standby beside a backfill at full speed, and with its replay paused in the middle: the lag that it really has, by a
# clock of the bench's own, and the rows that go on. Draws docs/lag.svg.
limit_s=2 healthy_s=20 fault_s=15 after_s=10
heading "Lag" "one standby, two workers, --max-lag ${limit_s}s; replay paused for $fault_s s after $healthy_s s"
fresh "$(template bigint "$rows" "$padding")"

standby_dir="$scratch/standby"
as_server=()
if ((EUID == 0)); then
  owner="$(stat -c %U "$(in_db postgres <<<'SHOW data_directory')")"
  as_server=(setpriv --reuid "$owner" --regid "$(id -g "$owner")" --clear-groups)
  chmod 711 "$scratch"
  install -d -o "$owner" -m 700 "$standby_dir" "$scratch/socket"
else
  mkdir -m 700 "$standby_dir" "$scratch/socket"
fi
pg_bin="$(pg_config --bindir)"
"${as_server[@]}" "$pg_bin/pg_basebackup" -d "$(dsn postgres) application_name=bench_standby" -D "$standby_dir" -R -c fast
"${as_server[@]}" "$pg_bin/pg_ctl" -D "$standby_dir" -w -s -l "$standby_dir/log" \
  -o "-c listen_addresses='' -c unix_socket_directories='$scratch/socket' -c port=1 -c hot_standby_feedback=on \
  -c cluster_name=bench_standby" start
stop_standby() { "${as_server[@]}" "$pg_bin/pg_ctl" -D "$standby_dir" -s -m immediate stop || true; }
trap 'stop_standby; clean_up' EXIT
on_standby() { psql -XqAt -v ON_ERROR_STOP=1 "host=$scratch/socket port=1 user=postgres dbname=one"; }

in_db one <<<"CREATE TABLE bench_clock (at float8); INSERT INTO bench_clock VALUES (0)"
until on_standby <<<"SELECT FROM bench_clock" >/dev/null 2>&1; do sleep 0.2; done
PGALTER_DSN="$(dsn one)" "$pgalter" backfill events --set 'c = a + 1' --yes --workers 2 --xmin-wait 0s \
  --max-lag "${limit_s}s" --replica "host=$scratch/socket port=1 user=postgres dbname=one" >"$scratch/run" 2>&1 &
runner=$!
rows_done="SELECT COALESCE(sum(updated_rows), 0) FROM pgalter.backfill_window"
until in_db one <<<"$rows_done" >/dev/null 2>&1; do sleep 0.05; done

begin="$(date +%s.%N)" fault='' mended=''
elapsed() { awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN { printf "%.3f", b - a }'; }
reached() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a >= b) }'; }
while kill -0 "$runner" 2>/dev/null; do
  now="$(elapsed)"
  if [[ -z $fault ]] && reached "$now" "$healthy_s"; then
    on_standby <<<"SELECT pg_wal_replay_pause()" >/dev/null
    fault="$(elapsed)"
  elif [[ -n $fault && -z $mended ]] && reached "$now" $((healthy_s + fault_s)); then
    on_standby <<<"SELECT pg_wal_replay_resume()" >/dev/null
    mended="$(elapsed)"
  elif [[ -n $mended ]] && reached "$now" $((healthy_s + fault_s + after_s)); then
    break
  fi
  in_db one <<<"UPDATE bench_clock SET at = EXTRACT(epoch FROM clock_timestamp())"
  seen="$(on_standby <<<"SELECT EXTRACT(epoch FROM clock_timestamp()) - at FROM bench_clock")"
  printf '%s %s %s\n' "$(elapsed)" "$seen" "$(in_db one <<<"$rows_done")" >>"$scratch/lag"
  sleep 0.1
done
kill "$runner" 2>/dev/null || true
wait "$runner" 2>/dev/null || true
stop_standby
trap clean_up EXIT
[[ -n $mended ]] || printf 'the run was over before its end: more --rows\n'

printf '| what | figure |\n|---|---|\n'
awk -v limit="$limit_s" -v fault="${fault:-1e9}" -v mended="${mended:-1e9}" '
  $1 < fault && $2 > most { most = $2 }
  $1 >= fault && $1 < mended { if ($2 > limit && !past) past = $1; if ($3 != before) last = $1 }
  { before = $3 }
  END {
    printf "| longest lag at full speed, of a limit of %s s | %.2f s |\n", limit, most
    if (past) printf "| last row committed after the lag passed its limit | %.2f s |\n", last > past ? last - past : 0
  }' "$scratch/lag"

# The picture: lag and rows over time, each with its own scale.
awk -v limit="$limit_s" -v fault="${fault:-0}" -v mended="${mended:-0}" '
  { t[NR] = $1; lag[NR] = $2; done[NR] = $3; if ($2 > high) high = $2 }
  END {
    w = 720; h = 260; left = 50; top = 20; bottom = 40; right = 60
    pw = w - left - right; ph = h - top - bottom; span = t[NR] > 0 ? t[NR] : 1
    if (high < 2 * limit) high = 2 * limit
    all = done[NR] > 0 ? done[NR] : 1
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n", w, h
    print "<title>Lag of a standby beside a backfill, and the rows that are done</title>"
    printf "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", w, h
    if (mended > fault)
      printf "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#f4e3c1\"/><text x=\"%.1f\" y=\"%d\">replay paused</text>\n", \
        left + fault / span * pw, top, (mended - fault) / span * pw, ph, left + fault / span * pw + 4, top + 14
    y = top + ph - limit / high * ph
    printf "<path d=\"M%d %.1fh%d\" stroke=\"#a40e26\" stroke-dasharray=\"4 3\"/><text x=\"%d\" y=\"%.1f\" fill=\"#a40e26\">limit %s s</text>\n", left, y, pw, left + 4, y - 4, limit
    printf "<polyline fill=\"none\" stroke=\"#0550ae\" stroke-width=\"1.5\" points=\""
    for (i = 1; i <= NR; i++) printf "%.1f,%.1f ", left + t[i] / span * pw, top + ph - lag[i] / high * ph
    printf "\"/>\n<polyline fill=\"none\" stroke=\"#116329\" stroke-width=\"1.5\" stroke-dasharray=\"6 2\" points=\""
    for (i = 1; i <= NR; i++) printf "%.1f,%.1f ", left + t[i] / span * pw, top + ph - done[i] / all * ph
    printf "\"/>\n<path d=\"M%d %dv%dh%d\" fill=\"none\" stroke=\"#57606a\"/>\n", left, top, ph, pw
    printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#0550ae\">%.1f s</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>\n", left - 5, top + 10, high, left - 5, top + ph
    printf "<text x=\"%d\" y=\"%d\" fill=\"#116329\">%d rows</text>\n", left + pw - 60, top - 6, all
    printf "<text x=\"%d\" y=\"%d\">seconds: 0 to %d; blue: lag; green, dashed: rows done</text>\n</svg>\n", left, h - 12, span
  }' "$scratch/lag" >"$root/docs/lag.svg"
printf '\nDrawn: docs/lag.svg\n'
