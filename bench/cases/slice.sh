# That every case works to its end: small tables, one repeat. The numbers mean nothing.
rows=20000 repeats=1 seconds=2 methods="single loop loop_sleep keyset plain1 pgalter1 pgalter2"
idle_reader=2 files=20 long_files=400 migrations_count=50 targets=plain swaps=1 leaves=5
for case in throughput growth scale foreground waits capture rebuild recipes lint migrations; do source "$root/bench/cases/$case.sh"; done
keys=bigint targets=months asked_methods="floor loop partman pgalter2"
source "$root/bench/cases/rebuild.sh"
asked_methods=""
for case in beside partition swaps; do source "$root/bench/cases/$case.sh"; done
