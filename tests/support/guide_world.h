// A database for tests of what guides to migrations tell people to do: their way, and pgalter's.
#pragma once

#include "tests/support/migration_world.h"

namespace pgalter::test {

class GuideWorld : public MigrationWorld {
 protected:
  // pgalter as it is, with where to connect, and without asking.
  Ran Do(Words words, const Words& environment = {}) const;
  // A program with these rights.
  Ran DoAs(const std::string& role, Words words) const;
  // By bash, with the server's programs in PATH and PGHOST and its kin set: nothing is quoted here.
  [[nodiscard]] Ran Shell(const std::string& command) const;
  // Servers from elsewhere come without psql and pg_dump.
  [[nodiscard]] static bool HasClients();
  // The SQLSTATE with which it is refused; empty: it is done.
  static std::string Refusal(Session& session, const std::string& sql);

  // public.t (id int primary key, a text, b text, c int): ids from 1, a and b are texts, c is NULL.
  void MakeRows(int rows) const;
  [[nodiscard]] std::string Count(const std::string& condition) const;  // of public.t
  // From now on each DDL command tells here: its text, transaction, locks on public.t, and how
  // often it read all of that: public.probe (query, xact, modes, scans).
  void Probe() const;
  [[nodiscard]] std::string LastRun() const;
  // Written by alembic itself, with revisions of one statement each: 1, 2, ...
  void MakeAlembic(const std::vector<std::string>& ups,
                   const std::vector<std::string>& downs) const;
};

}  // namespace pgalter::test
