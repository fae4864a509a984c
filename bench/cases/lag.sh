# A standby beside a backfill and a rebuild at full speed, each with its replay paused in the middle: the lag that it
# really has, by a clock of the bench's own, and the moment of every chunk. Draws docs/lag.svg.
limit_s=2
heading "Lag" "one standby, two workers, --max-lag ${limit_s}s, $rows rows; replay paused for 12 s"
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
standby="host=$scratch/socket port=1 user=postgres dbname=one"
samplers=()
stop_standby() {
  if ((${#samplers[@]})); then kill "${samplers[@]}" 2>/dev/null || true; fi
  "${as_server[@]}" "$pg_bin/pg_ctl" -D "$standby_dir" -s -m immediate stop || true
}
trap 'stop_standby; clean_up' EXIT
on_standby() { psql -XqAt -v ON_ERROR_STOP=1 "$standby"; }
now() { in_db postgres <<<"SELECT extract(epoch FROM clock_timestamp())"; }

# Every chunk writes its window's row: the moment of each, in its own transaction.
PGALTER_DSN="$(dsn one)" "$pgalter" init --yes >/dev/null 2>&1
in_db one <<'SQL'
CREATE TABLE bench_clock (at float8);
INSERT INTO bench_clock VALUES (extract(epoch FROM clock_timestamp()));
CREATE UNLOGGED TABLE bench_chunk (at float8);
CREATE FUNCTION bench_chunk() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_catalog AS
  $$BEGIN INSERT INTO bench_chunk VALUES (extract(epoch FROM clock_timestamp())); RETURN NULL; END$$;
CREATE TRIGGER bench_chunk AFTER INSERT OR UPDATE ON pgalter.backfill_window
  FOR EACH STATEMENT EXECUTE FUNCTION bench_chunk();
SQL
until on_standby <<<"SELECT FROM bench_clock" >/dev/null 2>&1; do sleep 0.2; done

# One session each, twenty times a second: the clock on the primary, and what the standby has of it.
every_moment() { while echo "$1"; do sleep 0.05; done; }
every_moment "UPDATE bench_clock SET at = extract(epoch FROM clock_timestamp());" | in_db one >/dev/null 2>&1 &
samplers+=($!)
every_moment "SELECT extract(epoch FROM clock_timestamp()), extract(epoch FROM clock_timestamp()) - at FROM bench_clock;" |
  psql -XqAt -F ' ' "$standby" >"$scratch/lag" 2>/dev/null &
samplers+=($!)

# lag_of WHAT AFTER COMMAND…: runs it to its end; pauses the replay that long after its first chunk.
lag_of() {
  local what="$1" after="$2" begin ended paused resumed
  shift 2
  in_db one <<<"TRUNCATE bench_chunk"
  begin="$(now)"
  PGALTER_DSN="$(dsn one)" "$pgalter" "$@" --yes --workers 2 --max-lag "${limit_s}s" --replica "$standby" \
    >"$scratch/$what.run" 2>&1 &
  runner=$!
  until [[ $(in_db one <<<"SELECT count(*) > 0 FROM bench_chunk") == t ]]; do
    kill -0 "$runner" 2>/dev/null || die "the $what ended before its first chunk: $(tail -3 "$scratch/$what.run")"
    sleep 0.05
  done
  sleep "$after"
  paused="$(now)"
  on_standby <<<"SELECT pg_wal_replay_pause()" >/dev/null
  sleep 12
  kill -0 "$runner" 2>/dev/null || die "the $what was over before its replay went on: more --rows"
  resumed="$(now)"
  on_standby <<<"SELECT pg_wal_replay_resume()" >/dev/null
  wait "$runner" || die "the $what failed: $(tail -3 "$scratch/$what.run")"
  ended="$(now)"
  in_db one <<<"SELECT at FROM bench_chunk ORDER BY 1" >"$scratch/$what.chunks"
  awk -v a="$begin" -v b="$ended" '$1 >= a && $1 <= b' "$scratch/lag" >"$scratch/$what.lag"
  printf '%s %s %s %s\n' "$begin" "$ended" "$paused" "$resumed" >"$scratch/$what.times"
}

# What is caught up after the fault is not full speed: it counts again once the lag has been within its limit.
lag_figures() {
  local begin ended paused resumed
  read -r begin ended paused resumed <"$scratch/$1.times"
  awk -v what="$1" -v limit="$limit_s" -v begin="$begin" -v paused="$paused" -v resumed="$resumed" '
    FILENAME ~ /lag$/ {
      if ($1 >= paused && $1 < resumed && $2 > limit && !past) past = $1
      if ($1 >= resumed && $2 <= limit) caught_up = 1
      if (($1 < paused || caught_up) && $2 > most) most = $2
      next
    }
    !first { first = $1 }
    $1 < paused { before++ }
    $1 >= paused && $1 < resumed { last = $1; during++ }
    past && $1 > past + 1 && $1 < resumed { late++ }
    END {
      printf "| %s: longest lag at full speed, of a limit of %s s | %.2f s |\n", what, limit, most
      printf "| %s: chunks a second before the replay was paused | %.1f |\n", what, before / (paused - first)
      printf "| %s: the standby was past its limit after | %.2f s |\n", what, past - paused
      printf "| %s: last chunk, counted from that moment | %+.2f s |\n", what, last - past
      printf "| %s: chunks in the rest of the fault, from 1 s after it | %d |\n", what, late
    }' "$scratch/$1.lag" "$scratch/$1.chunks"
}

# One frame of the picture: lag and chunks a second over time, each with its own scale.
lag_frame() {
  local begin ended paused resumed
  read -r begin ended paused resumed <"$scratch/$1.times"
  awk -v what="$1" -v limit="$limit_s" -v begin="$begin" -v ended="$ended" -v paused="$paused" -v resumed="$resumed" \
    -v top="$2" '
    function x(at) { return left + (at - begin) / (ended - begin) * pw }
    function y(s) { return top + ph - s / high * ph }
    FILENAME ~ /lag$/ { t[++n] = $1; lag[n] = $2; if ($2 > high) high = $2; next }
    { bin[int($1 - begin)]++; if (bin[int($1 - begin)] > most) most = bin[int($1 - begin)] }
    END {
      left = 46; pw = 640; ph = 150
      if (high < 2 * limit) high = 2 * limit
      printf "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s</text>\n", left, top - 8, what
      printf "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#f4e3c1\"/><text x=\"%.1f\" y=\"%d\">replay paused</text>\n", \
        x(paused), top, x(resumed) - x(paused), ph, x(paused) + 4, top + 14
      for (s = 0; s < ended - begin; s++)
        if (bin[s]) printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#9fd3ae\"/>\n", \
          x(begin + s), top + ph - bin[s] / most * ph, pw / (ended - begin) * 0.9, bin[s] / most * ph
      printf "<path d=\"M%d %.1fh%d\" stroke=\"#a40e26\" stroke-dasharray=\"4 3\"/><text x=\"%d\" y=\"%.1f\" fill=\"#a40e26\" text-anchor=\"end\">limit %s s</text>\n", \
        left, y(limit), pw, left + pw, y(limit) - 4, limit
      printf "<polyline fill=\"none\" stroke=\"#0550ae\" stroke-width=\"1.5\" points=\""
      for (i = 1; i <= n; i++) printf "%.1f,%.1f ", x(t[i]), y(lag[i])
      printf "\"/>\n<path d=\"M%d %dv%dh%d\" fill=\"none\" stroke=\"#57606a\"/>\n", left, top, ph, pw
      printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#0550ae\">%.0f s</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>\n", \
        left - 5, top + 10, high, left - 5, top + ph
      printf "<text x=\"%d\" y=\"%d\" fill=\"#116329\">%d a second</text>\n", left + pw + 4, top + 10, most
      printf "<text x=\"%d\" y=\"%d\">0 s</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f s</text>\n", \
        left, top + ph + 15, left + pw, top + ph + 15, ended - begin
    }' "$scratch/$1.lag" "$scratch/$1.chunks"
}

lag_of backfill 8 backfill events --set 'c = a + 1' --xmin-wait 0s
lag_of rebuild 3 rebuild events --alter 'ALTER COLUMN a TYPE bigint'
stop_standby
trap clean_up EXIT

printf '| what | figure |\n|---|---|\n'
lag_figures backfill
lag_figures rebuild
{
  echo '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 450" font-family="sans-serif" font-size="12" role="img">'
  echo '<title>Lag of a standby beside a backfill and a rebuild, and their chunks, while its replay is paused</title>'
  echo '<rect width="780" height="450" fill="#fff"/>'
  lag_frame backfill 30
  lag_frame rebuild 240
  echo '<text x="46" y="438">blue: how far the standby is behind; green: chunks that were committed in each second</text>'
  echo '</svg>'
} >"$root/docs/lag.svg"
printf '\nDrawn: docs/lag.svg\n'
