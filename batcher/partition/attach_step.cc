#include "batcher/partition/attach_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>

#include "batcher/cutover/carry_over.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/shape.h"
#include "batcher/partition/spec.h"
#include "engine/async/fail_point.h"
#include "engine/lock/ladder.h"
#include "engine/run/concurrent_index.h"
#include "engine/run/failure.h"
#include "engine/run/plan_spec.h"
#include "engine/state/artefacts.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using Texts = std::vector<std::string>;

namespace {

constexpr const char* kValidate = "validate";  // in a step's spec: statements for after it
constexpr std::chrono::hours kLong{24 * 7};

// The indexes of the table, but those that are replaced, with the names that they get as parts of
// the partition's: $1 the table, $2 its name, $3 the partition's (unquoted), $4 replaced ones.
constexpr const char* kIndexNames = R"sql(
SELECT format('ALTER INDEX %I.%I RENAME TO %I', n.nspname, c.relname,
  CASE WHEN octet_length(made) > 63 THEN left(made, 13) || '_' || left(md5(made), 8) ELSE made END)
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT CASE WHEN starts_with(c.relname, $2::text || '_')
                                THEN $3::text || substr(c.relname, length($2::text) + 1)
                                ELSE $3::text || '_' || c.relname END AS made) m
WHERE x.indrelid = $1 AND c.relname NOT LIKE 'pgalter\_%' AND quote_ident(c.relname) <> ALL ($4::text[])
)sql";

constexpr const char* kDropInbound = R"sql(
SELECT format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, f.conname)
FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.confrelid = $1 AND f.contype = 'f' AND f.conparentid = 0
  AND (SELECT attnum FROM pg_attribute WHERE attrelid = $1 AND attname = $2) <> ALL (f.confkey)
)sql";

// Rights are asked of the parent; those on the partition would be a way around its policies.
constexpr const char* kRevoke = R"sql(
SELECT DISTINCT format('REVOKE ALL ON TABLE %s FROM %s CASCADE', $2::text,
  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
FROM (SELECT relacl AS acl FROM pg_class WHERE oid = $1
      UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = $1) o, aclexplode(o.acl) a
WHERE a.grantee <> (SELECT relowner FROM pg_class WHERE oid = $1)
)sql";

// Back: each index of the partition by the name of the one that it is a part of, with whether a
// constraint has it. $1 the partition.
constexpr const char* kFormerNames = R"sql(
SELECT quote_ident(c.relname), quote_ident(p.relname),
       obj_description(pc.oid, 'pg_constraint'), obj_description(p.oid, 'pg_class')
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
JOIN pg_inherits i ON i.inhrelid = x.indexrelid JOIN pg_class p ON p.oid = i.inhparent
LEFT JOIN pg_constraint pc ON pc.conindid = p.oid AND pc.contype IN ('p', 'u')
WHERE x.indrelid = $1
)sql";

// $1 the parent.
constexpr const char* kInTheWayBack = R"sql(
SELECT format('policy %I of %s reads the table', p.polname, p.polrelid::regclass)
FROM pg_policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND p.polrelid <> $1
UNION ALL
SELECT format('rule %I of %s uses the table', r.rulename, r.ev_class::regclass)
FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
JOIN pg_class v ON v.oid = r.ev_class
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND r.ev_class <> $1
  AND (r.rulename <> '_RETURN' OR v.relkind <> 'v')
UNION ALL
SELECT format('%s depends on its row type or its rows', pg_describe_object(d.classid, d.objid, 0))
FROM pg_depend d JOIN pg_class c ON c.oid = $1
WHERE d.deptype = 'n'
  AND (d.refclassid = 'pg_type'::regclass
         AND d.refobjid IN (c.reltype, (SELECT typarray FROM pg_type WHERE oid = c.reltype))
       OR d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
         AND d.classid = 'pg_proc'::regclass)
)sql";

constexpr const char* kColumns = R"sql(
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
)sql";

Task<Texts> Read(Session& session, std::string query, pg::Params params) {
  const pg::Result rows =
      co_await session.db().QueryParams(std::move(query), std::move(params), pg::Format::kText);
  Texts texts;
  for (int i = 0; i < rows.rows(); ++i) texts.push_back(rows.Get<std::string>(i, 0));
  co_return texts;
}

Task<> Execute(Session& session, const Texts& statements) {
  std::vector<pg::Statement> batch;
  for (const std::string& sql : statements) batch.push_back({sql, {}});
  if (!batch.empty()) co_await session.db().Pipeline(std::move(batch));
}

void Append(Texts& to, Texts from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

boost::json::array Array(const Texts& texts) {
  boost::json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

// The table and its partitioned parent, by the names that they have at the time.
struct Pair {
  Spec spec;
  pg::Oid table = 0;
  pg::Oid parent = 0;

  [[nodiscard]] std::string first() const { return spec.home + "." + spec.first; }
  [[nodiscard]] std::string made() const { return spec.schema + "." + spec.relname; }
};

Task<bool> IsAttached(run::Environment& env) {
  const pg::Result row = co_await env.main.db().Query(
      "SELECT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = $1)", env.run.relid);
  co_return row.Get<bool>(0, 0);
}

Task<std::string> SequenceOf(Session& session, std::string table, std::string column) {
  // The function takes the column's name as it is, not as SQL.
  const auto parsed = sql::ParseQualifiedName(column);
  const std::string name = parsed ? parsed->name : column;
  const pg::Result row =
      co_await session.db().Query("SELECT pg_get_serial_sequence($1, $2)", table, name);
  co_return row.Get<std::optional<std::string>>(0, 0).value_or("");
}

std::string SetValue(const std::string& sequence, const std::string& from) {
  return fmt::format("SELECT setval({}::regclass, last_value, is_called) FROM {}",
                     sql::QuoteLiteral(sequence), from);
}

std::string MakeKey(const std::string& table, const std::string& name, const WidenedKey& key,
                    const std::string& index) {
  return fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {} USING INDEX {}{}", table, name,
                     key.constraint, index, key.deferrable);
}

// "orders_until_2027_01" for "orders_pkey" of "orders": as kIndexNames.
Task<std::string> NameInPartition(Session& session, const Spec& spec, std::string index) {
  const auto name = [](const std::string& quoted) {
    const auto parsed = sql::ParseQualifiedName(quoted);
    return parsed ? parsed->name : quoted;
  };
  const pg::Result row = co_await session.db().Query(
      "SELECT quote_ident(CASE WHEN octet_length(made) > 63 THEN left(made, 13) || '_' || "
      "left(md5(made), 8) ELSE made END) FROM (SELECT CASE WHEN starts_with($1::text, $2::text || "
      "'_') THEN $3::text || substr($1::text, length($2::text) + 1) ELSE $3::text || '_' || "
      "$1::text END AS made) m",
      name(index), name(spec.relname), name(spec.first));
  co_return row.Get<std::string>(0, 0);
}

class Attaching {
 public:
  Attaching(run::Environment& env, const Pair& pair)
      : env_(env), session_(env.main), pair_(pair), spec_(pair.spec) {}

  // In the transaction that holds the locks.
  Task<> Run() {
    co_await guard::CheckLease(session_, env_.lease);
    co_await CheckShape();
    co_await CheckObstacles();
    Texts dropped =
        co_await Read(session_, kDropInbound, pg::Params::Of(pair_.table, spec_.column.name));
    co_await Execute(session_, dropped);
    cutover::Staying staying;
    staying.own_keys = staying.identities = true;
    cutover::CarryOver carry = co_await cutover::ReadCarryOver(session_, pair_.table, pair_.parent,
                                                               spec_.table, pair_.first(), staying);
    Texts statements = std::move(carry.before);
    co_await Rename(statements);
    co_await ReplaceKeys(statements);
    co_await MoveIdentities(statements);
    statements.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", spec_.table, spec_.first));
    for (const std::string& name : Made())
      statements.push_back(
          fmt::format("ALTER TABLE {}.{} SET SCHEMA {}", spec_.schema, name, spec_.home));
    statements.push_back(
        fmt::format("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM (MINVALUE) TO ({})",
                    spec_.table, pair_.first(), spec_.upto));
    Append(statements, std::move(carry.after));
    statements.push_back(
        fmt::format("ALTER TABLE {} DROP CONSTRAINT pgalter_bound", pair_.first()));
    Append(statements,
           co_await Read(session_, kRevoke, pg::Params::Of(pair_.table, pair_.first())));
    statements.push_back(fmt::format("DROP SCHEMA {}", spec_.schema));
    co_await Execute(session_, statements);
    for (const state::Artefact& artefact : co_await state::LiveArtefacts(session_, env_.run.id))
      if (artefact.kind == "table" || artefact.kind == "schema")
        co_await state::RecordDropped(session_, artefact);
    validate_ = std::move(carry.validate);
    async::FailPoint("attached");
  }

  [[nodiscard]] const Texts& validate() const { return validate_; }

 private:
  [[nodiscard]] Texts Made() const {
    Texts names{spec_.relname};
    for (const Range& range : spec_.next) names.push_back(range.name);
    if (!spec_.rest.empty()) names.push_back(spec_.rest);
    return names;
  }

  Task<> CheckShape() {
    const std::string now = co_await ShapeOf(session_, pair_.table);
    for (const state::Step& step : co_await state::LoadSteps(session_, env_.run.id)) {
      const auto* then = step.spec.if_contains(kShape);
      if (then == nullptr || std::string_view(then->as_string()) == now) continue;
      if (!async::SafeguardOn("shape")) continue;
      throw Failure(ExitCode::kRefused,
                    fmt::format("{} got other columns, indexes or constraints while run {} worked "
                                "on it, which its new parent lacks. Nothing was changed. pgalter "
                                "abort {} --yes, and begin again",
                                spec_.table, env_.run.id, env_.run.id));
    }
  }

  // Whatever somebody has hung on the table meanwhile would be bound to one partition.
  Task<> CheckObstacles() {
    if (!async::SafeguardOn("obstacles")) co_return;
    std::string why = co_await FindObstacle(session_, pair_.table, spec_.column.name);
    const auto inbound = co_await FindInboundKeys(session_, pair_.table, spec_.column.name);
    if (why.empty() && inbound.size() != spec_.inbound.size())
      why = "the foreign keys that refer to it are not those of the beginning";
    if (why.empty()) co_return;
    throw Failure(
        ExitCode::kRefused,
        fmt::format("{} was changed while run {} worked on it: {}. Nothing was changed by "
                    "this step. Then: pgalter resume {}, or pgalter abort {} --yes",
                    spec_.table, env_.run.id, why, env_.run.id, env_.run.id));
  }

  Task<> Rename(Texts& statements) {
    Texts replaced;
    for (const WidenedKey& key : spec_.keys) replaced.push_back(key.index);
    const auto relname = sql::ParseQualifiedName(spec_.relname);
    const auto first = sql::ParseQualifiedName(spec_.first);
    Append(statements,
           co_await Read(session_, kIndexNames,
                         pg::Params::Of(pair_.table, relname->name, first->name, replaced)));
  }

  Task<> ReplaceKeys(Texts& statements) {
    for (const WidenedKey& key : spec_.keys) {
      const std::string name = co_await NameInPartition(session_, spec_, key.index);
      if (key.constraint.empty()) {
        statements.push_back(fmt::format("DROP INDEX {}.{}", spec_.home, key.index));
        statements.push_back(
            fmt::format("ALTER INDEX {}.{} RENAME TO {}", spec_.home, key.build, name));
        continue;
      }
      statements.push_back(
          fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", spec_.table, key.index));
      statements.push_back(MakeKey(spec_.table, name, key, key.build));
    }
  }

  // The parent's sequence goes on where the table's was.
  Task<> MoveIdentities(Texts& statements) {
    for (const Identity& identity : spec_.identities) {
      const std::string made = co_await SequenceOf(session_, pair_.made(), identity.column);
      const std::string own = co_await SequenceOf(session_, spec_.table, identity.column);
      statements.push_back(SetValue(made, own));
      statements.push_back(fmt::format("ALTER TABLE {} ALTER COLUMN {} DROP IDENTITY", spec_.table,
                                       identity.column));
      const auto parsed = sql::ParseQualifiedName(made);
      const std::string now = sql::QuoteIdentifier(parsed->name);
      if (now != identity.name)
        statements.push_back(
            fmt::format("ALTER SEQUENCE {}.{} RENAME TO {}", spec_.schema, now, identity.name));
    }
  }

  run::Environment& env_;
  Session& session_;
  const Pair& pair_;
  const Spec& spec_;
  Texts validate_;
};

class Detaching {
 public:
  Detaching(run::Environment& env, const Pair& pair)
      : env_(env), session_(env.main), pair_(pair), spec_(pair.spec) {}

  Task<> Run() {
    co_await guard::CheckLease(session_, env_.lease);
    const pg::Result names = co_await session_.db().Query(kFormerNames, pair_.table);
    co_await CheckObstacles();
    cutover::Staying staying;
    staying.own_keys = staying.identities = true;
    cutover::CarryOver carry = co_await cutover::ReadCarryOver(session_, pair_.parent, pair_.table,
                                                               spec_.table, pair_.made(), staying);
    // Foreign keys that refer to the table go first: a partition that they need is not let go.
    Texts statements = std::move(carry.before);
    statements.push_back(
        fmt::format("ALTER TABLE {} DETACH PARTITION {}", spec_.table, pair_.first()));
    if (async::SafeguardOn("rows-back")) statements.push_back(co_await MoveRows());
    statements.push_back(fmt::format("CREATE SCHEMA {}", spec_.schema));
    statements.push_back(fmt::format("ALTER TABLE {} SET SCHEMA {}", spec_.table, spec_.schema));
    statements.push_back(fmt::format("ALTER TABLE {} RENAME TO {}", pair_.first(), spec_.relname));
    NameBack(names, statements);
    co_await IdentitiesBack(statements);
    Append(statements, std::move(carry.after));
    for (const std::string& key : spec_.inbound)
      statements.push_back(IsNotValid(key) ? key : key + " NOT VALID");
    statements.push_back(fmt::format("DROP TABLE {}", pair_.made()));
    statements.push_back(fmt::format("DROP SCHEMA {}", spec_.schema));
    co_await Execute(session_, statements);
    validate_ = std::move(carry.validate);
    for (const std::string& key : spec_.inbound)
      if (!IsNotValid(key)) validate_.push_back(ValidateOf(key));
    async::FailPoint("detached");
  }

  [[nodiscard]] const Texts& validate() const { return validate_; }

 private:
  static bool IsNotValid(const std::string& key) { return key.ends_with(" NOT VALID"); }

  // What hangs on the parent, and could not follow.
  Task<> CheckObstacles() {
    const pg::Result rows = co_await session_.db().Query(kInTheWayBack, pair_.parent);
    if (rows.empty()) co_return;
    throw Failure(ExitCode::kRefused,
                  fmt::format("run {} cannot be taken back: {}: drop it before, and make it again "
                              "after. Nothing was changed. Then: pgalter revert {}",
                              env_.run.id, rows.Get<std::string>(0, 0), env_.run.id));
  }

  // Of the other partitions; no trigger of the users' is on the table now.
  Task<std::string> MoveRows() {
    const pg::Result row = co_await session_.db().Query(kColumns, pair_.table);
    const auto columns = row.Get<std::string>(0, 0);
    co_return fmt::format("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}",
                          pair_.first(), columns, columns, spec_.table);
  }

  [[nodiscard]] const WidenedKey* FindKey(const std::string& index) const {
    for (const WidenedKey& key : spec_.keys)
      if (key.index == index) return &key;
    return nullptr;
  }

  void NameBack(const pg::Result& names, Texts& statements) const {
    for (int i = 0; i < names.rows(); ++i) {
      const auto now = names.Get<std::string>(i, 0);
      const auto then = names.Get<std::string>(i, 1);
      const WidenedKey* key = FindKey(then);
      if (key == nullptr) {
        statements.push_back(fmt::format("ALTER INDEX {}.{} RENAME TO {}", spec_.home, now, then));
        continue;
      }
      const std::string built = BackName(*key);
      if (key->constraint.empty()) {
        statements.push_back(fmt::format("DROP INDEX {}.{}", spec_.home, now));
        statements.push_back(
            fmt::format("ALTER INDEX {}.{} RENAME TO {}", spec_.home, built, then));
      } else {
        statements.push_back(fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", spec_.table, now));
        statements.push_back(MakeKey(spec_.table, then, *key, built));
      }
      const auto on_constraint = names.Get<std::optional<std::string>>(i, 2);
      const auto on_index = names.Get<std::optional<std::string>>(i, 3);
      if (on_constraint)
        statements.push_back(fmt::format("COMMENT ON CONSTRAINT {} ON {} IS {}", then, spec_.table,
                                         sql::QuoteLiteral(*on_constraint)));
      if (on_index)
        statements.push_back(fmt::format("COMMENT ON INDEX {}.{} IS {}", spec_.home, then,
                                         sql::QuoteLiteral(*on_index)));
    }
  }

  Task<> IdentitiesBack(Texts& statements) {
    for (const Identity& identity : spec_.identities) {
      const std::string parents = co_await SequenceOf(session_, spec_.table, identity.column);
      const auto parsed = sql::ParseQualifiedName(parents);
      const std::string sequence = spec_.home + "." + identity.name;
      statements.push_back(fmt::format(
          "ALTER TABLE {} ALTER COLUMN {} ADD GENERATED {} AS IDENTITY (SEQUENCE NAME {} {})",
          spec_.table, identity.column, identity.kind, sequence, identity.options));
      // It went with its table.
      statements.push_back(
          SetValue(sequence, spec_.schema + "." + sql::QuoteIdentifier(parsed->name)));
    }
  }

  // "ALTER TABLE t ADD CONSTRAINT k …"
  static std::string ValidateOf(const std::string& key) {
    constexpr std::string_view kAdd = " ADD CONSTRAINT ";
    const std::size_t at = key.find(kAdd);
    const std::size_t end = key.find(" FOREIGN KEY", at);
    return fmt::format("{} VALIDATE CONSTRAINT {}", key.substr(0, at),
                       key.substr(at + kAdd.size(), end - at - kAdd.size()));
  }

 public:
  [[nodiscard]] static std::string BackName(const WidenedKey& key) {
    return "pgalter_back" + key.build.substr(std::string_view("pgalter_key").size());
  }

 private:
  run::Environment& env_;
  Session& session_;
  const Pair& pair_;
  const Spec& spec_;
  Texts validate_;
};

lock::LockRequest LockOf(const cutover::Joined& joined, const std::string& table) {
  Texts names = joined.referenced;
  names.push_back(table);
  names.insert(names.end(), joined.referencing.begin(), joined.referencing.end());
  lock::LockRequest request;
  for (const std::string& name : names)
    if (auto parsed = sql::ParseQualifiedName(name)) request.tables.push_back(std::move(*parsed));
  return request;
}

// How long users were blocked, at most.
Task<async::Milliseconds> Climb(run::Environment& env, const Spec& spec, pg::Oid of,
                                std::function<Task<>()> body, std::function<Task<>()> record,
                                async::Stopper& stopper, const char* again) {
  const cutover::Joined joined = co_await cutover::ReadJoined(env.main, of);
  lock::Work work;
  work.lock = LockOf(joined, spec.table);
  work.body = std::move(body);
  work.record = std::move(record);
  const auto tell = [&env, &spec](const lock::LadderReport& report) {
    env.progress.note = fmt::format(
        "waiting for a lock on {}, {} attempts so far{}", spec.table, report.attempts,
        report.last_blockers.empty() ? "" : ": " + lock::Describe(report.last_blockers.front()));
  };
  const lock::LadderOptions options;
  const lock::LadderOutcome outcome = co_await lock::RunUnderLadder(
      env.main, env.observer, std::move(work), options, stopper, tell);
  env.progress.note.clear();
  if (outcome.result != lock::LadderResult::kDone)
    throw Failure(
        ExitCode::kLockNotObtained,
        fmt::format("{} was too busy: {}. Nothing changed for its users. At a quieter "
                    "time: pgalter {} {}",
                    spec.table, fmt::join(lock::Lines(outcome), "\n"), again, env.run.id));
  co_return outcome.report.longest_blocked;
}

Task<> ValidateAll(run::Environment& env, const state::Step& step, async::Stopper& stopper) {
  const auto* kept = step.spec.if_contains(kValidate);
  if (kept == nullptr) co_return;
  guard::Session session = co_await run::OpenAsRole(env);
  session.db().set_query_deadline(kLong);
  for (const auto& statement : kept->as_array()) {
    stopper.ThrowIfStopping();
    co_await session.db().Query(std::string(statement.as_string()));
  }
}

Task<> KeepValidations(run::Environment& env, state::Step step, const Texts& validate) {
  step.spec[kValidate] = Array(validate);
  co_await state::RecordSpec(env.main, env.lease, step);
}

Task<state::Step> StepOfKind(run::Environment& env, const char* kind) {
  for (state::Step& step : co_await state::LoadSteps(env.main, env.run.id))
    if (step.kind == kind) co_return std::move(step);
  throw Failure(ExitCode::kError, fmt::format("run {} has no step {}", env.run.id, kind));
}

Task<> Attach(run::Environment& env, const state::Step& step) {
  Pair pair;
  pair.spec = FromJson(env.run.spec);
  pair.table = env.run.relid;
  const std::string made = pair.made();
  const pg::Result parent = co_await env.main.db().Query("SELECT $1::regclass::oid", made);
  pair.parent = parent.Get<pg::Oid>(0, 0);
  const state::Step settle = co_await StepOfKind(env, "partition-settle");
  Texts validate;
  auto body = [&]() -> Task<> {
    Attaching attaching(env, pair);
    co_await attaching.Run();
    validate = attaching.validate();
  };
  auto record = [&]() -> Task<> {
    co_await KeepValidations(env, settle, validate);
    co_await state::RecordStep(env.main, env.lease, step.ordinal, state::StepState::kDone);
  };
  const async::Milliseconds blocked =
      co_await Climb(env, pair.spec, pair.table, body, record, env.stopper, "resume");
  async::FailPoint("attach-committed");
  env.progress.remark =
      fmt::format("users were blocked for at most {} ms at the cut-over", blocked.count());
}

// The keys as they were, beside the users: two rows that only differ in the column are found here.
Task<> BuildKeysBack(run::Environment& env, const state::Step& step, const Pair& pair) {
  async::Stopper never;
  for (const WidenedKey& key : pair.spec.keys) {
    std::string sql = fmt::format("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {} ON {} ({}){}",
                                  Detaching::BackName(key), pair.first(), key.columns, key.rest);
    co_await run::BuildIndex(env, step, std::move(sql), step.state, never);
    async::FailPoint("key-back");
  }
}

// A key that stayed would refuse rows that the partitioned table allows.
Task<> DropKeysBack(run::Environment& env, const Pair& pair) {
  async::Stopper never;
  for (const WidenedKey& key : pair.spec.keys) {
    const auto name = sql::ParseQualifiedName(pair.spec.home + "." + Detaching::BackName(key));
    if (name) co_await run::DropIndex(env, *name, run::Dropping::kAny, never);
  }
}

[[noreturn]] void RefuseTwice(const run::Environment& env, const Pair& pair, const char* what) {
  std::string queries;
  for (const WidenedKey& key : pair.spec.keys)
    queries += fmt::format("\nSELECT {0} FROM {1} GROUP BY {0} HAVING count(*) > 1", key.columns,
                           pair.spec.table);
  throw Failure(ExitCode::kRefused,
                fmt::format("run {} cannot be taken back: a key of {} that was unique before is "
                            "there twice now ({}). Nothing was changed. Remove one of the rows, "
                            "then: pgalter revert {}. They are found by:{}",
                            env.run.id, pair.spec.table, what, env.run.id, queries));
}

Task<> Detach(run::Environment& env, const state::Step& step) {
  Pair pair;
  pair.spec = FromJson(env.run.spec);
  pair.table = env.run.relid;
  const pg::Result parent = co_await env.main.db().Query(
      "SELECT inhparent FROM pg_inherits WHERE inhrelid = $1", pair.table);
  pair.parent = parent.Get<pg::Oid>(0, 0);
  Texts validate;
  auto body = [&]() -> Task<> {
    Detaching detaching(env, pair);
    co_await detaching.Run();
    validate = detaching.validate();
  };
  auto record = [&]() -> Task<> { co_await KeepValidations(env, step, validate); };
  async::Stopper never;  // an abort is a stop already
  std::exception_ptr failure;
  std::string twice;
  try {
    co_await BuildKeysBack(env, step, pair);
    co_await Climb(env, pair.spec, pair.parent, body, record, never, "revert");
  } catch (const pg::PgError& error) {
    failure = std::current_exception();
    if (error.sqlstate() == "23505") twice = error.what();
  } catch (const Failure&) {
    failure = std::current_exception();
  }
  if (failure) {
    if (env.main.open()) co_await DropKeysBack(env, pair);
    if (!twice.empty()) RefuseTwice(env, pair, twice.c_str());
    std::rethrow_exception(failure);
  }
  async::FailPoint("detach-committed");
}

}  // namespace

run::Task<bool> AttachStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> AttachStep::Do(run::Environment& env, const state::Step& step) {
  co_await Attach(env, step);
}

run::Task<> AttachStep::Undo(run::Environment& env, const state::Step& step) {
  const bool attached = co_await IsAttached(env);
  if (attached) co_await Detach(env, step);
  const state::Step now = co_await StepOfKind(env, "partition-attach");
  async::Stopper never;
  co_await ValidateAll(env, now, never);
}

run::Task<bool> SettleStep::Done(run::Environment&, const state::Step&) { co_return false; }

run::Task<> SettleStep::Do(run::Environment& env, const state::Step&) {
  // As the cut-over has left it: the runner may have read it before.
  const state::Step now = co_await StepOfKind(env, "partition-settle");
  co_await ValidateAll(env, now, env.stopper);
}

run::Task<> SettleStep::Undo(run::Environment&, const state::Step&) { co_return; }

}  // namespace pgalter::partition
