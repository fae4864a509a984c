# Does striping pay, and is the choice that pgalter makes right? By rows per page, all tables of
# about the same number of bytes.
heading "Growth by rows per page" "median of $repeats; 'own choice' is pgalter without --stripes"
printf '| rows/page | method | stripes | seconds | heap %% | index %% | WAL MB | HOT %% |\n'
printf '|---|---|---|---|---|---|---|---|\n'
for padding_of_row in 60 110 370 900 1900 2600 3900 7000; do
  count=$((rows * 130 / (padding_of_row + 70)))
  from="$(template bigint "$count" "$padding_of_row")"
  per_page="$(in_db "$from" <<<"SELECT round(reltuples / relpages) FROM pg_class WHERE relname = 'events'")"
  for ((i = 0; i < repeats; i++)); do
    measure "$from" plain1 >>"$scratch/growth.$per_page.plain"
    measure "$from" pgalter1 --stripes 16 >>"$scratch/growth.$per_page.striped"
    measure "$from" pgalter1 >>"$scratch/growth.$per_page.own"
  done
  chosen="$("$pgalter" backfill events --set "c = a + 2" --dry-run --output json --dsn "$(dsn one)" | sed "s/.*\"stripes\": *\([0-9]*\).*/\1/")"
  for method in plain striped own; do
    file="$scratch/growth.$per_page.$method"
    case $method in plain) stripes=1 ;; striped) stripes=16 ;; own) stripes="${chosen:-?}" ;; esac
    printf '| %s | %s | %s | %s | %s | %s | %s | %s |\n' "$per_page" "${method/own/own choice}" \
      "$stripes" "$(median "$file" 1)" "$(median "$file" 2)" "$(median "$file" 3)" \
      "$(median "$file" 4)" "$(median "$file" 5)"
  done
  in_db postgres <<<"DROP DATABASE one WITH (FORCE)"
  in_db postgres <<<"DROP DATABASE $from"
done
