#include "tests/support/guide_world.h"

#include <fmt/format.h>

#include <filesystem>

namespace pgalter::test {

Ran GuideWorld::Do(Words words, const Words& environment) const {
  words.insert(words.end(), {"--yes", "--dsn", database_.conninfo()});
  return Program(PGALTER_BINARY, words, environment).Wait(std::chrono::seconds(120));
}

Ran GuideWorld::DoAs(const std::string& role, Words words) const {
  words.insert(words.end(), {"--yes", "--dsn", database_.conninfo() + " user=" + role});
  return Program(PGALTER_BINARY, words).Wait(std::chrono::seconds(120));
}

Ran GuideWorld::Shell(const std::string& command) const {
  const std::string folder =
      database_.Value("SELECT split_part(current_setting('unix_socket_directories'), ',', 1)");
  const Words environment{"PGHOST=" + folder, "PGUSER=postgres",
                          "PGPORT=" + database_.Value("SELECT current_setting('port')"),
                          "PGDATABASE=" + database_.name()};
  const std::string path = SharedServer().bin_dir().string();
  return Program("/bin/bash", {"-c", fmt::format("export PATH='{}':$PATH\n{}", path, command)},
                 environment)
      .Wait();
}

bool GuideWorld::HasClients() {
  return std::filesystem::exists(SharedServer().bin_dir() / "pg_dump");
}

std::string GuideWorld::Refusal(Session& session, const std::string& sql) {
  try {
    session.Exec(sql);
  } catch (const SqlError& error) {
    return error.sqlstate();
  }
  return "";
}

void GuideWorld::MakeRows(int rows) const {
  database_.Sql(
      fmt::format("CREATE TABLE public.t (id int PRIMARY KEY, a text, b text, c int);"
                  "INSERT INTO public.t SELECT g, 'a' || g, 'b' || g FROM generate_series(1, {}) g;"
                  "ANALYZE public.t",
                  rows));
}

std::string GuideWorld::Count(const std::string& condition) const {
  return database_.Value("SELECT count(*) FROM public.t WHERE " + condition);
}

void GuideWorld::Probe() const {
  // The server counts scans until it tells them to the others, which may be some transactions
  // later: only what is more than at the command's begin is of the command.
  database_.Sql(R"sql(
CREATE TABLE public.probe (n int GENERATED ALWAYS AS IDENTITY, query text, xact text, modes text, scans bigint);
CREATE FUNCTION public.probe_scans() RETURNS bigint LANGUAGE sql AS
  $$ SELECT COALESCE(pg_stat_get_xact_numscans(to_regclass('public.t')), 0) $$;
CREATE FUNCTION public.probe_begin() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('probe.scans', public.probe_scans()::text, false);
END $$;
CREATE FUNCTION public.probe() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.probe (query, xact, modes, scans)
    SELECT current_query(), pg_current_xact_id()::text,
      (SELECT string_agg(DISTINCT l.mode, ' ' ORDER BY l.mode) FROM pg_locks l
       WHERE l.pid = pg_backend_pid() AND l.relation = to_regclass('public.t')),
      public.probe_scans() - current_setting('probe.scans')::bigint;
END $$;
CREATE EVENT TRIGGER probe_begin ON ddl_command_start EXECUTE FUNCTION public.probe_begin();
CREATE EVENT TRIGGER probe ON ddl_command_end EXECUTE FUNCTION public.probe();
)sql");
}

std::string GuideWorld::LastRun() const {
  return database_.Value("SELECT run FROM pgalter.run ORDER BY created_at DESC LIMIT 1");
}

void GuideWorld::MakeAlembic(const std::vector<std::string>& ups,
                             const std::vector<std::string>& downs) const {
  Write("alembic.ini", "[alembic]\nscript_location = " + Path("").string() + "\n");
  Write("env.py",
        "from alembic import context\n"
        "context.configure(dialect_name='postgresql')\n"
        "with context.begin_transaction():\n    context.run_migrations()\n");
  for (std::size_t i = 0; i < ups.size(); ++i)
    Write(fmt::format("versions/{}_r.py", i + 1),
          fmt::format("from alembic import op\nrevision = '{}'\ndown_revision = {}\n"
                      "def upgrade():\n    op.execute('{}')\ndef downgrade():\n"
                      "    op.execute('{}')\n",
                      i + 1, i == 0 ? "None" : fmt::format("'{}'", i), ups[i], downs[i]));
}

}  // namespace pgalter::test
