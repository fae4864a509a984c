#include "batcher/partition/inbound.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "batcher/backfill/rights.h"
#include "batcher/partition/checked.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/primary_key.h"
#include "batcher/partition/whole.h"
#include "batcher/partition/wide_index.h"
#include "batcher/partition/widening.h"
#include "engine/run/failure.h"
#include "engine/state/runs.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;
using Texts = std::vector<std::string>;

namespace {

struct Word {
  const char* word;
  InboundFk means;
};
constexpr std::array kWords{Word{"refuse", InboundFk::kRefuse}, Word{"drop", InboundFk::kDrop},
                            Word{"widen", InboundFk::kWiden}, Word{"trigger", InboundFk::kTrigger}};

// Names of the table's triggers and constraints, which those to come may not have.
constexpr const char* kTaken = R"sql(
SELECT conname::text FROM pg_constraint WHERE conrelid = $1
UNION SELECT tgname::text FROM pg_trigger WHERE tgrelid = $1
)sql";

// $1 the table, $2 the columns that the wide key has.
constexpr const char* kLacking = R"sql(
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)
         || CASE WHEN a.attcollation <> t.typcollation
                 THEN format(' COLLATE %I.%I', n.nspname, c.collname) ELSE '' END
FROM unnest($2::text[]) WITH ORDINALITY w (name, i)
JOIN pg_attribute a ON a.attrelid = $1 AND a.attname = w.name
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation c ON c.oid = a.attcollation LEFT JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE NOT EXISTS (SELECT FROM pg_constraint f WHERE f.oid = $3 AND a.attnum = ANY (f.confkey))
ORDER BY w.i
)sql";

// Tables that refer to it by foreign keys, its own among them.
constexpr const char* kReferring = R"sql(
SELECT DISTINCT conrelid FROM pg_constraint
WHERE contype = 'f' AND confrelid = $1 AND conparentid = 0 ORDER BY 1
)sql";

// The partitions of $1, at whatever depth.
constexpr const char* kPartsOf = R"sql(
WITH RECURSIVE tree (oid) AS (
  SELECT inhrelid FROM pg_inherits WHERE inhparent = $1
  UNION ALL SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
SELECT oid FROM tree ORDER BY oid
)sql";

// $1 the table, that and its partitions; $2 the name, quoted.
constexpr const char* kTakenInTree = R"sql(
WITH RECURSIVE tree (oid) AS (
  SELECT $1::oid
  UNION ALL SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
SELECT format('%I.%I', n.nspname, c.relname)
FROM tree t JOIN pg_constraint f ON f.conrelid = t.oid JOIN pg_class c ON c.oid = t.oid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE quote_ident(f.conname) = $2 LIMIT 1
)sql";

// The publications that send $1, or a partition of it under its own name.
constexpr const char* kPublished = R"sql(
WITH RECURSIVE tree (oid) AS (
  SELECT $1::oid
  UNION ALL SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
SELECT quote_ident(p.pubname)
FROM tree t JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_publication_tables p ON p.schemaname = n.nspname AND p.tablename = c.relname LIMIT 1
)sql";

class Settling {
 public:
  Settling(Session& session, InboundWish wish) : session_(session), wish_(std::move(wish)) {
    for (const std::string& column : wish_.columns) quoted_.push_back(QuoteIdentifier(column));
  }

  Task<Inbound> Run() {
    const pg::Result taken = co_await session_.db().Query(kTaken, wish_.oid);
    for (int i = 0; i < taken.rows(); ++i) taken_.push_back(taken.Get<std::string>(i, 0));
    for (const InboundKey& key : co_await FindInboundKeys(session_, wish_.oid, wish_.columns)) {
      inbound_.keys.push_back({key.table, key.add, key.comment, key.child});
      switch (wish_.means) {
        case InboundFk::kRefuse:
          Refuse(key);
        case InboundFk::kDrop:
          Drop(key);
          break;
        case InboundFk::kWiden:
          co_await Widen(key);
          break;
        case InboundFk::kTrigger:
          co_await Replace(key);
          break;
      }
    }
    if (copies()) BuildReferred();
    co_return std::move(inbound_);
  }

 private:
  [[nodiscard]] bool copies() const { return wish_.way == ByWay::kCopy; }

  [[noreturn]] void Refuse(const InboundKey& key) const {
    std::string ways = "Two ways out: ";
    if (key.widens)
      ways = fmt::format(
          "Three ways out: --inbound-fk widen gives {} a column for {} and refers to all of it; ",
          key.table, fmt::join(quoted_, " and "));
    throw Failure(
        ExitCode::kRefused,
        fmt::format("cannot {}: foreign key {} of {} refers to a key "
                    "that does not hold {}, and cannot stay. {}--inbound-fk trigger has triggers "
                    "check what the foreign key did; --inbound-fk drop drops it. Nothing was "
                    "changed",
                    copies() ? fmt::format("part {}", wish_.table)
                             : fmt::format("attach {} to a partitioned table", wish_.table),
                    key.name, key.table, fmt::join(quoted_, " and "), ways));
  }

  void RefuseWide(const InboundKey& key) const {
    if (key.widens) return;
    RefuseKey(key,
              key.to_itself
                  ? "it refers to the table itself, which does not change its columns while it "
                    "is converted: --inbound-fk trigger, or drop"
                  : fmt::format("{} is a partition, and takes no column of its own: "
                                "--inbound-fk trigger, or drop",
                                key.table));
  }

  [[noreturn]] void RefuseKey(const InboundKey& key, const std::string& why) const {
    throw Failure(ExitCode::kRefused,
                  fmt::format("cannot keep foreign key {} of {} by --inbound-fk "
                              "{}: {}. Nothing was changed",
                              key.name, key.table, WordOf(wish_.means), why));
  }

  // Before what refers to them.
  void BuildReferred() {
    const std::string home = QuoteIdentifier(*sql::ParseQualifiedName(wish_.table)->schema);
    const std::string end = state::NewRunId().substr(0, 8);
    std::vector<plan::Step> before;
    for (WidenedKey& key : wish_.keys) {
      if (std::ranges::count(referred_, key.index) == 0) continue;
      key.build = WideIndexName(static_cast<int>(before.size()) + 1, end);
      before.push_back(BuildWideIndex(key, wish_.table, home));
    }
    inbound_.before.insert(inbound_.before.begin(), before.begin(), before.end());
  }

  void Drop(const InboundKey& key) {
    inbound_.remarks.push_back(
        fmt::format("weaker: foreign key {} of {} is dropped at the end; a revert adds it again",
                    key.name, key.table));
  }

  Task<> RefuseForeignRights(const InboundKey& key, const Reference& reference) {
    const pg::Result right = co_await session_.db().Query(
        "SELECT has_schema_privilege($1, (SELECT relnamespace FROM pg_class WHERE oid = $2),"
        " 'CREATE')",
        sql::ParseQualifiedName(reference.parent_owner)->name, key.child);
    co_await RefuseForcedPolicies(key);
    if (right.Get<bool>(0, 0)) co_return;
    throw Failure(ExitCode::kUnsupported,
                  fmt::format("cannot make a function in the schema of {}: GRANT CREATE ON SCHEMA "
                              "{} TO {}",
                              key.table, reference.child_home, reference.parent_owner));
  }

  // The server's own keys see every row; a function of the owner does not, then.
  Task<> RefuseForcedPolicies(const InboundKey& key) {
    const pg::Result row = co_await session_.db().Query(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = c.relnamespace WHERE c.oid IN ($1, $2) AND c.relforcerowsecurity LIMIT 1",
        key.child, wish_.oid);
    if (!row.empty())
      RefuseKey(key, fmt::format("row security of {} is forced upon its owner, too, who would not "
                                 "see all rows",
                                 row.Get<std::string>(0, 0)));
  }

  Task<> RefuseTakenFunction(const InboundKey& key, std::string function) {
    const pg::Result row =
        co_await session_.db().Query("SELECT to_regproc($1) IS NOT NULL", function);
    if (row.Get<bool>(0, 0))
      RefuseKey(key, fmt::format("there is a function {} already: rename it", function));
  }

  Task<> Replace(const InboundKey& key) {
    const Reference reference = co_await ReadReference(session_, key.oid);
    co_await RefuseForeignRights(key, reference);
    if (reference.child_owner != reference.parent_owner)
      RefuseKey(key, fmt::format("{} belongs to {} and {} to {}, and the triggers can only act as "
                                 "one of them: give them one owner",
                                 reference.child, reference.child_owner, reference.parent,
                                 reference.parent_owner));
    CheckedTriggers triggers = CheckedTriggersOf(reference, quoted_, taken_);
    co_await RefuseTakenFunction(key, triggers.refers_function);
    co_await RefuseTakenFunction(key, triggers.referred_function);
    taken_.insert(taken_.end(), triggers.names.begin(), triggers.names.end());
    inbound_.make.insert(inbound_.make.end(), triggers.make.begin(), triggers.make.end());
    inbound_.drop.insert(inbound_.drop.end(), triggers.drop.begin(), triggers.drop.end());
    Texts columns;
    for (const Reference::Column& column : reference.columns) columns.push_back(column.child);
    inbound_.checks.push_back({key.table, key.name, triggers.referred_function + "()",
                               triggers.rows, triggers.refers, std::move(columns),
                               triggers.refers_function + "()", key.child});
    inbound_.remarks.push_back(fmt::format(
        "weaker: foreign key {} of {} becomes triggers: a row that refers is looked for in every "
        "partition, TRUNCATE, and DELETE and changes of the key of {} that nobody has yet, are "
        "refused "
        "under REPEATABLE READ and SERIALIZABLE, and partitions that are detached, dropped or "
        "truncated "
        "by their own name are not checked, but by pgalter partition detach and retain",
        key.name, key.table, wish_.table));
  }

  Task<> Widen(const InboundKey& key) {
    RefuseWide(key);
    const Reference reference = co_await ReadReference(session_, key.oid);
    co_await RefuseForeignRights(key, reference);
    co_await RefusePartitions(key, reference);
    const pg::Result rows =
        co_await session_.db().Query(kLacking, wish_.oid, wish_.columns, key.oid);
    std::vector<LackingColumn> lacking;
    for (int i = 0; i < rows.rows(); ++i)
      lacking.push_back({rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1)});
    const Widening widening = WideningOf(reference, lacking);
    co_await RefuseTakenFunction(key, widening.function);
    co_await RefuseUnwidened(key, reference, widening);
    for (const plan::Step& step : widening.steps) inbound_.before.push_back(step);
    inbound_.drop.push_back(widening.drop_key);
    inbound_.also.push_back(key.child);
    referred_.push_back(key.index);
    inbound_.remarks.push_back(fmt::format(
        "{} gets {}, filled by a trigger and kept by foreign key {}, which takes the place of {}: "
        "it goes on with changes of the key, too (ON UPDATE CASCADE), and a row that does not say "
        "{} is looked for in every partition",
        key.table, fmt::join(widening.columns, " and "), widening.key, key.name,
        fmt::join(widening.columns, " and ")));
  }

  // Each gets the column and the key.
  Task<> RefusePartitions(const InboundKey& key, const Reference& reference) {
    if (!reference.child_partitioned) co_return;
    if (!reference.valid)
      RefuseKey(key, fmt::format("it is not valid, and {} adopts only keys of its partitions that "
                                 "are: ALTER TABLE {} VALIDATE CONSTRAINT {} first",
                                 key.table, key.table, key.name));
    const pg::Result rows = co_await session_.db().Query(kPartsOf, key.child);
    for (int i = 0; i < rows.rows(); ++i) {
      const std::string missing =
          co_await backfill::MissingOwnership(session_, rows.Get<pg::Oid>(i, 0));
      if (!missing.empty())
        throw Failure(ExitCode::kUnsupported,
                      fmt::format("cannot widen foreign key {} of {}: {}. Nothing was changed",
                                  key.name, key.table, missing));
    }
  }

  Task<> RefuseUnwidened(const InboundKey& key, const Reference& reference,
                         const Widening& widening) {
    constexpr int kMovesAreUpdates = 150000;
    const pg::Result version =
        co_await session_.db().Query("SELECT current_setting('server_version_num')::int");
    const char action = reference.on_delete;
    if (version.Get<int>(0, 0) < kMovesAreUpdates &&
        (action == 'c' || action == 'n' || action == 'd'))
      RefuseKey(key,
                "before PostgreSQL 15, a row that an UPDATE moves to another partition is deleted "
                "from the one it was in for the foreign key, and its ON DELETE action would reach "
                "the rows that refer to it: --inbound-fk trigger does not do that");
    for (const std::string& column : widening.columns) {
      const pg::Result taken = co_await session_.db().Query(
          "SELECT FROM pg_attribute WHERE attrelid = $1 AND quote_ident(attname) = $2"
          " AND NOT attisdropped",
          key.child, column);
      if (!taken.empty())
        RefuseKey(key, fmt::format("{} has a column {} already: rename it, or refer to all of the "
                                   "key with it yourself",
                                   key.table, column));
    }
    const pg::Result constraint =
        co_await session_.db().Query(kTakenInTree, key.child, widening.key);
    if (!constraint.empty())
      RefuseKey(key, fmt::format("{} has a constraint {} already: rename it",
                                 constraint.Get<std::string>(0, 0), widening.key));
    const pg::Result published = co_await session_.db().Query(kPublished, key.child);
    if (!published.empty())
      RefuseKey(key, fmt::format("publication {} sends {}, and a subscriber that lacks the new "
                                 "column would stop: take it out of the publication, or "
                                 "--inbound-fk trigger",
                                 published.Get<std::string>(0, 0), key.table));
  }

  Session& session_;
  InboundWish wish_;
  Inbound inbound_;
  Texts quoted_;
  Texts taken_;
  Texts referred_;  // keys of the table that wide foreign keys refer to
};

}  // namespace

const char* WordOf(InboundFk means) {
  for (const Word& word : kWords)
    if (word.means == means) return word.word;
  return "refuse";
}

std::optional<InboundFk> ParseInboundFk(std::string_view text) {
  for (const Word& word : kWords)
    if (word.word == text) return word.means;
  return std::nullopt;
}

Task<> RefuseStrangersKeys(Session& session, const backfill::Table& table) {
  const pg::Result rows = co_await session.db().Query(kReferring, table.oid);
  for (int i = 0; i < rows.rows(); ++i) {
    const auto referring = rows.Get<pg::Oid>(i, 0);
    std::string missing = co_await backfill::MissingOwnership(session, referring);
    if (missing.empty()) missing = co_await backfill::MissingUsage(session, referring);
    if (!missing.empty())
      throw Failure(ExitCode::kUnsupported,
                    fmt::format("cannot change the foreign keys that refer to {}: {}. "
                                "Nothing was changed",
                                table.name, missing));
  }
}

Task<Inbound> SettleInbound(Session& session, InboundWish wish) {
  Settling settling(session, std::move(wish));
  co_return co_await settling.Run();
}

void RefuseMoreColumns() {
  throw Failure(ExitCode::kUsage,
                "--primary-key with more columns does not go with --inbound-fk widen: foreign keys "
                "get those by which rows are parted. Take --inbound-fk trigger or drop");
}

Task<Inbound> SettleInboundOfCopy(Session& session, const Wish& wish) {
  const backfill::Table table = co_await FindOwned(session, wish.table, "partition");
  co_await RefuseStrangersKeys(session, table);
  InboundWish inbound;
  inbound.way = ByWay::kCopy;
  inbound.table = table.name;
  inbound.oid = table.oid;
  inbound.columns = PartColumns(wish.division);
  inbound.means = wish.inbound_fk;
  if (wish.inbound_fk == InboundFk::kWiden) {
    inbound.keys = co_await FindWidenedKeys(session, table.oid, inbound.columns);
    const bool more = co_await NameColumns(session, table, wish.division.primary_key,
                                           inbound.columns, inbound.keys);
    if (more) RefuseMoreColumns();
  }
  co_return co_await SettleInbound(session, std::move(inbound));
}

rebuild::GoingKeys GoingKeysOf(Inbound inbound) {
  rebuild::GoingKeys going;
  going.keys = std::move(inbound.keys);
  going.make = std::move(inbound.make);
  going.drop = std::move(inbound.drop);
  going.checks = ToJson(inbound.checks);
  return going;
}

}  // namespace pgalter::partition
