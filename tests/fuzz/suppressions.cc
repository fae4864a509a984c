// Leaks that are not ours. libpg_query 15 forgets the copy of what its parser said on stderr, one
// byte, whenever a PL/pgSQL body cannot be parsed (pg_query_parse_plpgsql.c: it frees the result on
// the way of success alone).
extern "C" const char* __lsan_default_suppressions() { return "leak:pg_query_raw_parse\n"; }
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }
