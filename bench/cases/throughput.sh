# Every method on the same table, in turn. `x single` is the speed relative to one UPDATE.
for key in $keys; do
  heading "Throughput: $key key" "$rows rows, padding $padding, median of $repeats"
  from="$(template "$key" "$rows" "$padding")"
  for ((i = 0; i < repeats; i++)); do
    for method in $methods; do measure "$from" "$method" >>"$scratch/$key.$method"; done
  done
  printf '| method | seconds (min to max) | rows/s | x single | heap %% | index %% | WAL MB | HOT %% |\n'
  printf '|---|---|---|---|---|---|---|---|\n'
  base=0
  [[ -e $scratch/$key.single ]] && base="$(median "$scratch/$key.single" 1)"
  for method in $methods; do
    sort -g "$scratch/$key.$method" | awk -v rows="$rows" -v method="$method" -v base="$base" '
      {s[NR] = $1; line[NR] = $0}
      END {
        m = int((NR + 1) / 2); split(line[m], v)
        printf "| %s | %.1f (%.1f to %.1f) | %d | %.2f | %+.1f | %+.1f | %d | %d |\n", method, s[m],
          s[1], s[NR], rows / s[m], base / s[m], v[2], v[3], v[4], v[5]
      }'
  done
done
