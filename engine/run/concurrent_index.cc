#include "engine/run/concurrent_index.h"

#include <fmt/format.h>

#include "engine/async/fail_point.h"
#include "engine/guard/lease.h"
#include "engine/guard/role_settings.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "engine/run/long_work.h"
#include "engine/run/plan_spec.h"
#include "engine/state/artefacts.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::run {

namespace {

constexpr const char* kBuilt = "index";
constexpr const char* kRebuilt = "reindex";  // named by what the REINDEX names
constexpr int kAttempts = 3;

struct Found {
  pg::Oid oid = 0;
  std::string name;  // quoted, with its schema
  std::string table;
  bool valid = false;
};

constexpr const char* kColumns = R"sql(
SELECT i.indexrelid, pg_catalog.format('%I.%I', n.nspname, c.relname),
       pg_catalog.format('%I.%I', tn.nspname, t.relname),
       i.indisvalid AND i.indisready AND i.indislive
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
)sql";

// Of a valid index, by name: what makes it anew. One that is there already is no mistake: the
// statements may be run a second time.
constexpr const char* kMakingAgain = R"sql(
WITH it AS (
  SELECT i.*, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
         pg_catalog.format('%I.%I', tn.nspname, t.relname) AS tab, c.relname,
         pg_catalog.pg_get_indexdef(c.oid) AS def,
         COALESCE(' WHERE ' || pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') AS tail,
         (SELECT s.spcname FROM pg_catalog.pg_tablespace s
          -- The database's own has to be said where the role has another for what it makes.
          WHERE s.oid = COALESCE(NULLIF(c.reltablespace, 0), (
            SELECT d.dattablespace FROM pg_catalog.pg_database d
            WHERE d.datname = pg_catalog.current_database()
            AND pg_catalog.current_setting('default_tablespace') <> ''))) AS space
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
  WHERE i.indexrelid = pg_catalog.to_regclass($1)::oid AND i.indisvalid)
SELECT statement FROM (
  SELECT 1, pg_catalog.regexp_replace(
    CASE WHEN space IS NULL OR pg_catalog.right(def, pg_catalog.length(tail)) <> tail THEN def
      ELSE pg_catalog.left(def, pg_catalog.length(def) - pg_catalog.length(tail))
        || pg_catalog.format(' TABLESPACE %I', space) || tail END,
    '^CREATE (UNIQUE )?INDEX ', 'CREATE \1INDEX CONCURRENTLY IF NOT EXISTS ') FROM it
  UNION ALL
  SELECT 2, pg_catalog.format('COMMENT ON INDEX %s IS %L', name,
    pg_catalog.obj_description(indexrelid, 'pg_class')) FROM it
  WHERE pg_catalog.obj_description(indexrelid, 'pg_class') IS NOT NULL
  UNION ALL
  SELECT 3, pg_catalog.format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', name, a.attnum,
    a.attstattarget)
  FROM it JOIN pg_catalog.pg_attribute a ON a.attrelid = it.indexrelid AND a.attstattarget >= 0
  UNION ALL
  SELECT 4, pg_catalog.format('ALTER TABLE %s CLUSTER ON %I', tab, relname) FROM it
  WHERE indisclustered
  UNION ALL
  SELECT 5, pg_catalog.format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', tab, relname)
  FROM it WHERE indisreplident) AS made (place, statement)
ORDER BY place
)sql";

std::vector<Found> FromRows(const pg::Result& rows) {
  std::vector<Found> all;
  for (int i = 0; i < rows.rows(); ++i) {
    Found found;
    found.oid = rows.Get<pg::Oid>(i, 0);
    found.name = rows.Get<std::string>(i, 1);
    found.table = rows.Get<std::string>(i, 2);
    found.valid = rows.Get<bool>(i, 3);
    all.push_back(std::move(found));
  }
  return all;
}

// In a session that has the role's search_path.
Task<std::optional<Found>> FindIndex(guard::Session& session, std::string name) {
  const pg::Result rows = co_await session.db().Query(
      std::string(kColumns) + "WHERE i.indexrelid = pg_catalog.to_regclass($1)::oid", name);
  const auto all = FromRows(rows);
  co_return all.empty() ? std::nullopt : std::optional(all.front());
}

// One whose table is in another schema by now, and the index with it.
Task<std::optional<Found>> FindMoved(guard::Session& session, std::string run, std::string index) {
  const pg::Result rows = co_await session.db().Query(
      std::string(kColumns) +
          "WHERE c.relname = $2 AND pg_catalog.starts_with($2, 'pgalter_')"
          " AND i.indrelid IN (SELECT relid FROM pgalter.run_table WHERE run = $1)",
      run, index);
  const auto all = FromRows(rows);
  co_return all.empty() ? std::nullopt : std::optional(all.front());
}

// What a REINDEX CONCURRENTLY of `relation` (an index or a table) makes while it works, and leaves
// when it fails; the server numbers them when the name is taken.
Task<std::vector<Found>> TransientIndexes(guard::Session& session, std::string relation) {
  const pg::Result rows = co_await session.db().Query(
      std::string(kColumns) +
          "WHERE i.indrelid IN (SELECT o.indrelid FROM pg_catalog.pg_index o"
          "   WHERE pg_catalog.to_regclass($1)::oid IN (o.indexrelid, o.indrelid)"
          "   UNION SELECT COALESCE(o.indrelid, p.relid)"
          "   FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)) p"
          "   LEFT JOIN pg_catalog.pg_index o ON o.indexrelid = p.relid)"
          " AND NOT (i.indisvalid AND i.indisready AND i.indislive)"
          " AND c.relname ~ '_cc(new|old)[0-9]*$'",
      relation);
  co_return FromRows(rows);
}

// The table that an index is made on, with the schema in which the index will be.
struct Place {
  std::string schema;
  std::string table;
  pg::Oid oid = 0;
};
Task<Place> FindPlace(guard::Session& session, std::string table) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.format('%I.%I', n.nspname, c.relname),"
      " c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
      " WHERE c.oid = pg_catalog.to_regclass($1)",
      table);
  if (rows.empty())
    throw Failure(ExitCode::kError,
                  fmt::format("there is no table {} to make an index on (SQLSTATE 42P01)", table));
  Place place;
  place.schema = rows.Get<std::string>(0, 0);
  place.table = rows.Get<std::string>(0, 1);
  place.oid = rows.Get<pg::Oid>(0, 2);
  co_return place;
}

Task<std::optional<state::Artefact>> FindInLedger(Environment& env, std::string kind,
                                                  std::string name) {
  const auto artefacts = co_await state::LiveArtefacts(env.main, env.run.id);
  for (const state::Artefact& artefact : artefacts)
    if (artefact.kind == kind && artefact.name == name) co_return artefact;
  co_return std::nullopt;
}

// What a long statement has beside it.
struct Company {
  guard::Session& observer;
  Progress& progress;
  async::Stopper& stopper;
};

// A deadlock or a cancel by somebody else is tried again.
Task<> DropOne(guard::Session& session, std::string name, const Company& with) {
  for (int attempt = 1;; ++attempt) {
    const auto found = co_await FindIndex(session, name);
    if (!found) co_return;
    bool again = false;
    try {
      auto drop = [&]() -> Task<> {
        co_await session.db().Query(fmt::format("DROP INDEX CONCURRENTLY {}", found->name));
      };
      co_await UntilAbortedWatching(with.stopper, with.observer, with.progress,
                                    session.server_pid(), drop());
    } catch (const pg::PgError& error) {
      again = attempt < kAttempts && (error.klass() == pg::SqlstateClass::kRetryable ||
                                      error.klass() == pg::SqlstateClass::kCancelled);
      if (!again) throw;
    }
    if (!again) co_return;
  }
}

Task<> DropTransient(guard::Session& session, std::string relation, const Company& with) {
  const auto transient = co_await TransientIndexes(session, std::move(relation));
  for (const Found& found : transient) co_await DropOne(session, found.name, with);
}

// Runs the statement; what the server refused it with, or nothing.
Task<std::exception_ptr> Try(guard::Session& session, const std::string& sql, const Company& with) {
  std::exception_ptr failure;
  try {
    auto build = [&]() -> Task<> { co_await session.db().Query(sql); };
    co_await UntilAbortedWatching(with.stopper, with.observer, with.progress, session.server_pid(),
                                  build());
  } catch (const pg::PgError& error) {
    if (error.klass() == pg::SqlstateClass::kConnectionLost) throw;
    failure = std::current_exception();
  }
  co_return failure;
}

bool WorthAnotherAttempt(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const pg::PgError& error) {
    return error.klass() == pg::SqlstateClass::kRetryable;
  } catch (const std::exception&) {
    return false;
  }
}

class Build {
 public:
  Build(Environment& env, const state::Step& step, std::string sql, state::StepState becomes,
        async::Stopper& stopper)
      : env_(env),
        step_(step),
        sql_(std::move(sql)),
        becomes_(becomes),
        with_{env.observer, env.progress, stopper} {
    artefact_.run = env.run.id;
  }

  Task<> Run() {
    session_ = co_await OpenAsRole(env_);
    const PatientSession lasting(session_);
    const bool there = co_await Claim();
    if (!there) co_await Make();
    co_await Record();
  }

 private:
  // Puts it into the ledger. True: it is there and valid, by an earlier runner of this step.
  Task<bool> Claim() {
    const auto statement = sql::ast::ReadStatement(sql_);
    const auto* reindex = statement ? statement->As<sql::ast::Reindex>() : nullptr;
    const auto* create = statement ? statement->As<sql::ast::CreateIndex>() : nullptr;
    if (reindex != nullptr) co_return co_await ClaimRebuilt(sql::ToString(reindex->name));
    if (create == nullptr || create->name.empty())
      throw Failure(ExitCode::kError,
                    fmt::format("step {} of run {} is no CREATE INDEX with a name, and no REINDEX",
                                step_.id, env_.run.id));
    co_return co_await ClaimBuilt(*create);
  }

  Task<bool> ClaimBuilt(const sql::ast::CreateIndex& create) {
    const Place place = co_await FindPlace(session_, sql::ToString(create.table));
    artefact_.kind = kBuilt;
    artefact_.name = place.schema + "." + sql::QuoteIdentifier(create.name);
    artefact_.relation = place.table;
    artefact_.relid = place.oid;
    const auto found = co_await FindIndex(session_, artefact_.name);
    const auto claimed = co_await FindInLedger(env_, artefact_.kind, artefact_.name);
    const bool there = found && found->valid;
    // What is taken back may be back already: its step was not recorded.
    const bool wanted = claimed || create.if_not_exists || becomes_ == state::StepState::kUndone;
    if (there && wanted) co_return true;
    if (found && !claimed)
      throw Failure(ExitCode::kRefused,
                    fmt::format("there is an index {} on {} already{}, which this run has not "
                                "made; step {} has changed nothing. Drop it or rename it, then: "
                                "pgalter resume {}",
                                found->name, found->table, found->valid ? "" : ", not valid",
                                step_.id, env_.run.id));
    if (!claimed) co_await EnterIntoLedger();
    co_return false;
  }

  // A rebuilt index is another relation under the old name: which one it was is in the ledger.
  Task<bool> ClaimRebuilt(std::string relation) {
    artefact_.kind = kRebuilt;
    artefact_.name = relation;
    artefact_.relation = relation;
    const auto now = co_await FindIndex(session_, relation);
    const auto claimed = co_await FindInLedger(env_, artefact_.kind, artefact_.name);
    if (claimed) {
      const bool swapped = now && now->valid && claimed->relid != 0 && now->oid != claimed->relid;
      if (swapped) co_await DropTransient(session_, relation, with_);
      co_return swapped;
    }
    artefact_.relid = now ? now->oid : 0;  // 0: a table's, of which nobody can tell
    co_await EnterIntoLedger();
    co_return false;
  }

  Task<> EnterIntoLedger() {
    co_await state::RecordArtefact(env_.main, artefact_);
    async::FailPoint("index-in-ledger");
  }

  Task<> Make() {
    for (int attempt = 1;; ++attempt) {
      with_.stopper.ThrowIfStopping();
      co_await DropLeftovers();
      const std::exception_ptr failure = co_await Try(session_, sql_, with_);
      async::FailPoint("index-built");
      if (!failure) break;
      co_await DropLeftovers();
      if (attempt >= kAttempts || !WorthAnotherAttempt(failure)) std::rethrow_exception(failure);
    }
    co_await DropLeftovers();
    if (artefact_.kind == kRebuilt) co_return;
    const auto found = co_await FindIndex(session_, artefact_.name);
    if (!found)
      throw Failure(ExitCode::kError,
                    fmt::format("index {} was not valid after it was built, and was dropped. Then: "
                                "pgalter resume {}",
                                artefact_.name, env_.run.id));
  }

  Task<> DropLeftovers() {
    if (!async::SafeguardOn("index-leftovers")) co_return;
    if (artefact_.kind == kRebuilt) {
      co_await DropTransient(session_, artefact_.name, with_);
      co_return;
    }
    const auto found = co_await FindIndex(session_, artefact_.name);
    if (found && !found->valid) co_await DropOne(session_, found->name, with_);
  }

  // From now on the index is what was wanted, and nothing to clean up.
  Task<> Record() {
    auto record = [this]() -> Task<> {
      co_await guard::CheckLease(env_.main, env_.lease);
      co_await state::RecordDropped(env_.main, artefact_);
      co_await state::RecordStep(env_.main, env_.lease, step_.ordinal, becomes_);
    };
    co_await guard::RunInTransaction(env_.main, record);
    async::FailPoint("index-recorded");
  }

  Environment& env_;
  const state::Step& step_;
  const std::string sql_;
  const state::StepState becomes_;
  const Company with_;
  guard::Session session_;
  state::Artefact artefact_;
};

}  // namespace

Task<> BuildIndex(Environment& env, const state::Step& step, std::string sql,
                  state::StepState becomes, async::Stopper& stopper) {
  Build build(env, step, std::move(sql), becomes, stopper);
  co_await build.Run();
}

Task<std::vector<std::string>> StatementsThatMake(Environment& env, sql::QualifiedName name) {
  guard::Session session = co_await OpenAsRole(env);
  // A predicate's dates are read again under whatever settings that session has.
  guard::Bracket bracket = guard::Under(guard::ExactTexts());
  std::vector<pg::Statement> reading = std::move(bracket.begin);
  reading.push_back({kMakingAgain, pg::Params::Of(sql::ToString(name))});
  reading.push_back(std::move(bracket.end));
  const auto results = co_await session.db().Pipeline(std::move(reading));
  const pg::Result& rows = results.at(results.size() - 2);
  std::vector<std::string> statements;
  for (int i = 0; i < rows.rows(); ++i) statements.push_back(rows.Get<std::string>(i, 0));
  co_return statements;
}

Task<> DropIndex(Environment& env, sql::QualifiedName name, Dropping which,
                 async::Stopper& stopper) {
  guard::Session session = co_await OpenAsRole(env);
  auto found = co_await FindIndex(session, sql::ToString(name));
  if (!found) found = co_await FindMoved(session, env.run.id, name.name);
  if (!found || (found->valid && which == Dropping::kOnlyInvalid)) co_return;
  const PatientSession lasting(session);
  const Company with{env.observer, env.progress, stopper};
  co_await DropOne(session, found->name, with);
}

Task<> DropUnfinishedIndexes(guard::Session& session, guard::Session& observer, std::string run,
                             async::Stopper& stopper, Progress& progress) {
  const auto artefacts = co_await state::LiveArtefacts(session, run);
  const PatientSession lasting(session);
  const Company with{observer, progress, stopper};
  for (const state::Artefact& artefact : artefacts) {
    if (artefact.kind == kBuilt) {
      co_await DropOne(session, artefact.name, with);
    } else if (artefact.kind == kRebuilt) {
      co_await DropTransient(session, artefact.name, with);
    } else {
      continue;
    }
    co_await state::RecordDropped(session, artefact);
  }
}

}  // namespace pgalter::run
