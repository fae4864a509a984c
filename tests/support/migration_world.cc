#include "tests/support/migration_world.h"

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX

#include <fstream>

namespace pgalter::test {

namespace fs = std::filesystem;

MigrationWorld::MigrationWorld() {
  std::string folder = fs::temp_directory_path() / "pgalter-migrate-XXXXXX";
  directory_ = ::mkdtemp(folder.data());
}

MigrationWorld::~MigrationWorld() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

fs::path MigrationWorld::Path(const std::string& name) const { return fs::path(directory_) / name; }

void MigrationWorld::Write(const std::string& name, const std::string& text) const {
  fs::create_directories(Path(name).parent_path());
  std::ofstream(Path(name), std::ios::binary) << text;
}

void MigrationWorld::Remove(const std::string& name) const { fs::remove(Path(name)); }

void MigrationWorld::WriteOrders() const {
  Write("20260101000000_orders.sql", R"(-- pgalter: 1
-- title: orders
-- pgalter:up
CREATE TABLE public.orders (id bigint PRIMARY KEY, note text);
INSERT INTO public.orders SELECT g, 'n' FROM generate_series(1, 2000) g;
-- pgalter:verify
SELECT count(*) = 2000 FROM public.orders;
-- pgalter:down
DROP TABLE public.orders;
-- pgalter:down-verify
SELECT to_regclass('public.orders') IS NULL;
)");
  Write("20260102000000_total.sql", R"(-- pgalter: 1
-- title: total
-- pgalter:up
ALTER TABLE public.orders ADD COLUMN total int;
-- pgalter:backfill table=public.orders set="total = id::int"
-- pgalter:up
CREATE INDEX orders_total ON public.orders (total);
-- pgalter:verify
SELECT bool_and(total = id) FROM public.orders;
-- pgalter:down
DROP INDEX public.orders_total;
ALTER TABLE public.orders DROP COLUMN total;
)");
  Write("20260103000000_strict.sql", R"(-- pgalter: 1
-- title: strict
-- pgalter:up
ALTER TABLE public.orders ALTER COLUMN note SET NOT NULL;
-- pgalter:down
ALTER TABLE public.orders ALTER COLUMN note DROP NOT NULL;
)");
}

Program MigrationWorld::Start(Words arguments, Words environment) const {
  if (arguments.at(0) != "log" && arguments.at(0) != "audit")
    arguments.insert(arguments.end(), {"--dir", directory_});
  arguments.insert(arguments.end(), {"--dsn", database_.conninfo()});
  return {PGALTER_BINARY, arguments, environment};
}

Ran MigrationWorld::Run(Words arguments, Words environment) const {
  return Start(std::move(arguments), std::move(environment)).Wait(std::chrono::seconds(120));
}

Ran MigrationWorld::Up(const Words& more) const {
  Words words{"up", "--yes"};
  words.insert(words.end(), more.begin(), more.end());
  return Run(words);
}

std::string MigrationWorld::Applied() const {
  if (database_.Value("SELECT to_regclass('pgalter.migration') IS NULL") == "t") return "";
  return database_.Value(
      "SELECT COALESCE(string_agg(version || ' ' || state, ', ' ORDER BY position), '')"
      " FROM pgalter.migration");
}

std::string MigrationWorld::Schema() const {
  return database_.Value(
      "SELECT COALESCE(string_agg(line, E'\\n' ORDER BY line), '') FROM ("
      " SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)"
      "   || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END"
      " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
      "   AND NOT a.attisdropped"
      " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
      " UNION ALL SELECT pg_get_indexdef(indexrelid) || CASE WHEN indisvalid THEN '' ELSE"
      "   ' INVALID' END FROM pg_index JOIN pg_class i ON i.oid = indexrelid"
      "   WHERE i.relnamespace = 'public'::regnamespace"
      " UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)"
      "   FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
      " UNION ALL SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger JOIN pg_class t"
      "   ON t.oid = tgrelid WHERE t.relnamespace = 'public'::regnamespace AND NOT tgisinternal)"
      " lines(line)");
}

void MigrationWorld::AwaitNoRunner() const {
  database_.AwaitValue(
      "SELECT count(*) FROM pg_stat_activity WHERE starts_with(application_name, 'pgalter')"
      " AND datname = current_database() AND pid <> pg_backend_pid()",
      "0", std::chrono::seconds(30));
}

}  // namespace pgalter::test
