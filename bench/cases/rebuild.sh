# A table made anew with another definition, and into monthly partitions by a definition in a file, beside nothing: what
# else copies it is in bench/copies.sh.
heading "Rebuild" "$rows rows, padding $padding, two secondary indexes, median of $repeats in turn, no writes; \
limits: two workers 1.6 x the floor, its copy, key and indexes 1.1 x; 1.8 and 2.5 times as fast as loop and partman"
copies_head

# rebuild_by METHOD KEY TARGET
rebuild_by() {
  case "$1" in
    floor) copy_floor "$3" ;;
    loop) guides_loop "$3" "$2" ;;
    repack | partman) "$1" ;;
    pgalter[1-9]) rebuild_to "$3" "${1#pgalter}" ;;
  esac
}

# One of the others can do a target only.
rebuild_methods() {
  local other=repack
  if [[ $1 == months ]]; then other="$(if_partman)"; fi
  # shellcheck disable=SC2086
  chosen floor loop $other pgalter1 pgalter2
}

: >"$scratch/rebuild.ahead"
for key in $keys; do
  from="$(template "$key" "$rows" "$padding" years)"
  for target in $targets; do
    name="rebuild.$key.$target"
    mapfile -t wanted < <(rebuild_methods "$target")
    for ((i = 0; i < repeats; i++)); do
      for method in "${wanted[@]}"; do once "$name" "$method" rebuild_by "$method" "$key" "$target"; done
    done
    for method in "${wanted[@]}"; do copies_row "$name" "$key" "$target" "$method" floor; done
    copies_ahead "$name" "$key" "$target" >>"$scratch/rebuild.ahead"
  done
  in_db postgres <<<"DROP DATABASE one WITH (FORCE)"
  in_db postgres <<<"DROP DATABASE $from"
done
printf '\n'
cat "$scratch/rebuild.ahead"
[[ -n $(if_partman) ]] || printf 'pg_partman is not installed: postgresql-15-partman\n'
