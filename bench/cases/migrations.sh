# A directory of many migrations, all applied: what `status --pending` and `up` with nothing to do cost as whole
# processes. The limits are 0.2 s and 0.3 s.
count="${migrations_count:-5000}"

mkdir -p "$scratch/applied"
for ((n = 1; n <= count; n++)); do
  printf -- '-- pgalter: 1\n-- title: step %d\n-- pgalter:up\nCREATE TABLE public.t%d (id bigint PRIMARY KEY);\n-- pgalter:down\nDROP TABLE public.t%d;\n' \
    "$n" "$n" "$n" >"$scratch/applied/$(printf '%05d' "$n")_step.sql"
done
in_db postgres <<<"CREATE DATABASE migrations"
"$pgalter" baseline "$(printf '%05d' "$count")" --dir "$scratch/applied" --yes --dsn "$(dsn migrations)" >/dev/null

# spent FILE COMMAND…: "wall CPU" of it in seconds.
spent() {
  local file="$1"
  shift
  TIMEFORMAT='%R %U %S'
  { time "$@" >/dev/null 2>&1; } 2>"$scratch/time"
  awk '{printf "%.3f %.3f\n", $1, $2 + $3}' "$scratch/time" >>"$file"
}

for ((turn = 0; turn < repeats; turn++)); do
  spent "$scratch/status" "$pgalter" status --pending --dir "$scratch/applied" --dsn "$(dsn migrations)"
  spent "$scratch/up" "$pgalter" up --yes --dir "$scratch/applied" --dsn "$(dsn migrations)"
done

printf '\n## Migrations\n\n%d, all applied; median of %d; %d processors, load %s\n\n' \
  "$count" "$repeats" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
printf '| command | limit s | s | CPU s of it |\n|---|---|---|---|\n'
printf '| `status --pending` | 0.2 | %s | %s |\n' "$(median "$scratch/status" 1)" "$(median "$scratch/status" 2)"
printf '| `up`, nothing to do | 0.3 | %s | %s |\n' "$(median "$scratch/up" 1)" "$(median "$scratch/up" 2)"
