#include "batcher/rebuild/shadow.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "batcher/capture/flow_sql.h"
#include "batcher/copy/order.h"
#include "batcher/dependants/by_place.h"
#include "batcher/dependants/key_triggers.h"
#include "batcher/dependants/labels.h"
#include "batcher/dependants/publications.h"
#include "batcher/rebuild/empty_table.h"
#include "batcher/rebuild/like_table.h"
#include "batcher/rebuild/mapping.h"
#include "batcher/rebuild/names.h"
#include "batcher/rebuild/obstacles.h"
#include "engine/guard/owner_only.h"
#include "engine/run/failure.h"
#include "engine/run/server_refusal.h"
#include "planner/sql/identifier.h"

namespace pgalter::rebuild {

using run::ExitCode;
using run::Failure;

namespace {

// An index of the new table over just these columns, in any order.
Task<> MarkKey(Session& session, const Names& names, const std::vector<capture::KeyColumn>& key,
               Definition& definition, const std::string& run) {
  std::vector<std::string> columns;
  for (const capture::KeyColumn& column : key) columns.push_back(column.to);
  const pg::Result rows = co_await session.db().Query(
      "SELECT quote_ident(c.relname) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid"
      " WHERE x.indrelid = $1::regclass AND x.indisunique AND x.indpred IS NULL"
      " AND x.indexprs IS NULL AND x.indimmediate"
      " AND (SELECT array_agg(quote_ident(a.attname) ORDER BY quote_ident(a.attname))"
      "   FROM unnest(x.indkey[0:x.indnkeyatts - 1]) k JOIN pg_attribute a"
      "   ON a.attrelid = x.indrelid AND a.attnum = k)"
      "   = (SELECT array_agg(n ORDER BY n) FROM unnest($2::text[]) n)"
      " ORDER BY x.indisprimary DESC LIMIT 1",
      names.shadow, columns);
  if (!rows.empty()) {
    const auto name = rows.Get<std::string>(0, 0);
    for (std::size_t i = 0; i < definition.indexes.size(); ++i) {
      if (definition.indexes[i].name != name) continue;
      definition.indexes[i].key = true;
      std::swap(definition.indexes[0], definition.indexes[i]);
    }
    co_return;
  }
  Index helper;
  helper.name = "pgalter_key_" + run.substr(0, 8);
  helper.table = names.shadow;
  helper.create = fmt::format("CREATE UNIQUE INDEX {} ON {} ({})", helper.name, names.shadow,
                              fmt::join(columns, ", "));
  helper.key = true;
  helper.helper = true;
  definition.indexes.insert(definition.indexes.begin(), std::move(helper));
}

// An index of the partitioned table that begins with just these columns, in any order. It serves
// the way back, too, so it must be there to stay.
Task<> MarkPartitionedKey(Session& session, const Names& names,
                          const std::vector<capture::KeyColumn>& key, Definition& definition) {
  std::vector<std::string> columns;
  for (const capture::KeyColumn& column : key) columns.push_back(column.to);
  const pg::Result rows = co_await session.db().Query(
      "SELECT quote_ident(c.relname) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid"
      " JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'"
      " WHERE x.indrelid = $1::regclass AND x.indpred IS NULL"
      " AND (SELECT array_agg(quote_ident(a.attname) ORDER BY quote_ident(a.attname))"
      "   FROM unnest(x.indkey[0:cardinality($2::text[]) - 1]) k JOIN pg_attribute a"
      "   ON a.attrelid = x.indrelid AND a.attnum = k)"
      "   = (SELECT array_agg(n ORDER BY n) FROM unnest($2::text[]) n)"
      " ORDER BY x.indisprimary DESC, x.indisunique DESC, x.indnatts LIMIT 1",
      names.shadow, columns);
  if (rows.empty())
    throw Failure(
        ExitCode::kRefused,
        fmt::format("cannot rebuild {0}: no index of the new table begins with ({1}), by which "
                    "changed rows are found. Put these columns first in a key of the definition, "
                    "or add: CREATE INDEX ON {2} ({1})",
                    names.source, fmt::join(columns, ", "), sql::QuoteIdentifier(names.relname)));
  const auto name = rows.Get<std::string>(0, 0);
  for (Index& index : definition.indexes)
    index.key = index.root == name || (index.table == names.shadow && index.name == name);
  std::stable_partition(definition.indexes.begin(), definition.indexes.end(),
                        [](const Index& index) { return index.key; });
}

// The plain statement leaves them as they are, too; whoever makes a key wide wants to know.
Task<> SayNarrowSequences(Session& session, const Names& names, pg::Oid source,
                          std::vector<std::string>& remarks) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT format('%I.%I', n.nspname, q.relname), quote_ident(s.attname), x.seqmax"
      " FROM pg_depend d JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S'"
      " JOIN pg_namespace n ON n.oid = q.relnamespace JOIN pg_sequence x ON x.seqrelid = q.oid"
      " JOIN pg_attribute s ON s.attrelid = d.refobjid AND s.attnum = d.refobjsubid"
      " JOIN pg_attribute t ON t.attrelid = $2::regclass AND t.attname = s.attname"
      " WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
      "   AND d.refobjid = $1 AND d.deptype = 'a' AND x.seqtypid <> 'int8'::regtype"
      "   AND t.atttypid = 'int8'::regtype AND s.atttypid <> t.atttypid AND NOT t.attisdropped",
      source, names.shadow);
  for (int i = 0; i < rows.rows(); ++i)
    remarks.push_back(fmt::format(
        "sequence {0} of column {1} still ends at {2}, as after ALTER TABLE; afterwards: "
        "ALTER SEQUENCE {0} AS bigint",
        rows.Get<std::string>(i, 0), rows.Get<std::string>(i, 1), rows.Get<std::int64_t>(i, 2)));
}

// A log as large as the table costs more to follow than a new copy.
Task<> LimitLogs(Session& session, Shadow& shadow, const Spec& spec, pg::Oid table) {
  constexpr std::int64_t kLeast = std::int64_t{1} << 30;
  const pg::Result size = co_await session.db().Query(
      "SELECT sum(pg_total_relation_size(oid))::int8 FROM pg_class WHERE oid = $1 OR oid IN"
      " (SELECT relid FROM pg_partition_tree($1))",
      table);
  const std::int64_t limit =
      spec.log_limit > 0 ? spec.log_limit : std::max(kLeast, size.Get<std::int64_t>(0, 0));
  shadow.flow.unattended = spec.unattended;
  shadow.flow.log_limit = limit;
  if (!shadow.reverse) co_return;
  shadow.reverse->unattended = spec.revert_window;
  shadow.reverse->log_limit = limit;
}

// While the new table has its indexes.
Task<> RefuseUnsent(Session& session, const Names& names, const Stored& stored) {
  std::string why =
      co_await dependants::FindUnfitPublication(session, stored.source, stored.shadow);
  if (why.empty())
    why = co_await dependants::RehearsePublications(session, stored.source, stored.shadow,
                                                    names.shadow);
  if (!why.empty())
    throw Failure(ExitCode::kRefused, fmt::format("cannot rebuild {}: {}", names.source, why));
}

// A subscriber that lacks one stops until it has it, and loses nothing.
Task<> RefuseByPlace(Session& session, const Names& names, pg::Oid source) {
  const pg::Result shadow = co_await session.db().Query("SELECT $1::regclass::oid", names.shadow);
  const std::string why =
      co_await dependants::FindByPlace(session, source, shadow.Get<pg::Oid>(0, 0));
  if (!why.empty())
    throw Failure(ExitCode::kRefused,
                  fmt::format("cannot rebuild {}: {}. Nothing was changed", names.source, why));
}

// The one that takes its place gets its foreign keys, with their triggers, anew.
Task<> RefuseKeyTriggersOff(Session& session, const Names& names, const capture::Flow& flow) {
  const auto how =
      flow.to_partitioned ? dependants::KeyTriggers::kInTheWay : dependants::KeyTriggers::kFollow;
  const std::string why = co_await dependants::FindKeyTriggersOff(session, flow.from_oid, how);
  if (!why.empty())
    throw Failure(ExitCode::kRefused,
                  fmt::format("cannot rebuild {}: {}. Nothing was changed", names.source, why));
}

Task<> CarryLabels(Session& session, const Names& names, const Stored& stored, bool parted) {
  dependants::NewNames renamed{FromOf(stored.definition.renamed), ToOf(stored.definition.renamed)};
  pg::Statement asked =
      dependants::AskLabels(stored.source, stored.shadow, names.shadow, std::move(renamed));
  std::string why;
  if (parted) why = co_await dependants::FindLabelToBeLost(session, stored.source);
  if (why.empty()) why = co_await dependants::SetLabels(session, std::move(asked));
  if (!why.empty())
    throw Failure(ExitCode::kRefused, fmt::format("cannot rebuild {}: {}", names.source, why));
}

Task<> SayMissingColumns(Session& session, const Names& names, pg::Oid source,
                         std::vector<std::string>& remarks) {
  const pg::Result rows = co_await session.db().Query(
      "SELECT string_agg(DISTINCT quote_ident(t.attname), ', '), string_agg(DISTINCT p.pubname, "
      "', ') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " JOIN pg_publication_tables p ON p.schemaname = n.nspname AND p.tablename = c.relname,"
      " pg_attribute t WHERE c.oid = $1 AND t.attrelid = $2::regclass AND t.attnum > 0"
      " AND NOT t.attisdropped AND t.attgenerated = '' AND NOT EXISTS ("
      "   SELECT FROM pg_attribute s WHERE s.attrelid = c.oid AND s.attname = t.attname AND NOT "
      "s.attisdropped) AND NOT EXISTS (SELECT FROM pg_publication b JOIN pg_publication_rel r"
      "   ON r.prpubid = b.oid WHERE b.pubname = p.pubname AND r.prrelid = c.oid"
      "   AND to_jsonb(r)->>'prattrs' IS NOT NULL)",
      source, names.shadow);
  if (rows.IsNull(0, 0)) co_return;
  remarks.push_back(
      fmt::format("publication {} sends it: subscribers need column {} before the cut-over "
                  "(--cutover wait), or "
                  "they stop until they have it",
                  rows.Get<std::string>(0, 1), rows.Get<std::string>(0, 0)));
}

// Types, casts and names of the copy are the server's to judge.
Task<> CheckMapping(Session& session, const Spec& spec, const capture::Flow& flow) {
  std::optional<pg::PgError> refused;
  try {
    co_await session.db().Query(fmt::format("EXPLAIN {}", capture::CopyStatement(flow, flow.from)),
                                "(0,0)", "(0,0)");
  } catch (const pg::PgError& error) {
    if (!error.Is(pg::sqlstate::kDatatypeMismatch) || !session.db().open()) throw;
    refused = error;
  }
  if (!refused) co_return;
  throw run::ServerRefusal(
      ExitCode::kUsage,
      fmt::format("the server refuses what is to be copied from {} into the new table: {}. Nothing "
                  "was changed",
                  flow.from, refused->what()),
      *refused,
      spec.maps.empty() ? "say how its values are made: --map 'column = expression'"
                        : "make the expression of --map one of the column's type, as "
                          "'column = expression::type'");
}

// A role that this one is a member of: what is to belong to it is made where it may make things.
Task<std::string> OtherOwner(Session& session, pg::Oid table) {
  const pg::Result row = co_await session.db().Query(
      "SELECT CASE WHEN r.rolname <> current_user THEN quote_ident(r.rolname) ELSE '' END"
      " FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = $1",
      table);
  co_return row.Get<std::string>(0, 0);
}

}  // namespace

Task<Shadow> MakeShadow(Session& session, std::string run, const backfill::Table& table,
                        const Spec& spec, int number) {
  pg::Connection& db = session.db();
  Names names;
  names.schema = capture::SchemaOf(run, number);
  names.source = table.name;
  names.relname = table.relname;
  names.shadow = names.schema + "." + sql::QuoteIdentifier(table.relname);
  // First: what comes after it is noticed, even what the empty table has already.
  Shadow shadow;
  shadow.stored.definition.noted = co_await ReadNoted(session, table.oid);
  const std::string other_owner = co_await OtherOwner(session, table.oid);
  for (const std::string& schema : {names.schema, names.schema + "_old"}) {
    co_await db.Query(fmt::format("CREATE SCHEMA {}", schema));
    co_await db.Query(guard::TakeBackSchema(schema));
    if (!other_owner.empty())
      co_await db.Query(fmt::format("GRANT ALL ON SCHEMA {} TO {}", schema, other_owner));
  }
  co_await RefuseHalfDetached(session, table.name, table.oid);
  const std::vector<Index> built = co_await MakeEmpty(session, names, spec, table.oid);
  co_await RefuseWhatCannotFollow(session, names, table.oid, MatviewsOf(spec), spec.going);
  co_await RefuseByPlace(session, names, table.oid);
  if (!spec.definition.empty())
    co_await RefuseWhatIsLost(session, names, spec, table.oid, shadow.remarks);
  co_await RefuseTakenTypes(session, names, table.oid);
  const pg::Result made = co_await db.Query(
      "SELECT oid, relkind = 'p' FROM pg_class WHERE oid = $1::regclass", names.shadow);

  Stored& stored = shadow.stored;
  stored.number = number;
  stored.source = table.oid;
  stored.shadow = made.Get<pg::Oid>(0, 0);
  stored.schema = names.schema;
  stored.definition.indexes = built;
  capture::Flow& flow = shadow.flow;
  flow.run = run;
  flow.name = capture::NameOfFlow("forward", number);
  flow.schema = names.schema;
  flow.from_oid = table.oid;
  flow.to_oid = stored.shadow;
  flow.from = names.source;
  flow.to = names.shadow;
  flow.from_partitioned = table.partitioned;
  flow.to_partitioned = made.Get<bool>(0, 1);
  co_await RefuseKeyTriggersOff(session, names, flow);
  flow.alias = sql::QuoteIdentifier(table.relname);
  flow.columns = co_await MapColumns(session, names, spec, table.oid);
  const std::vector<capture::KeyColumn> key = co_await ChooseKey(session, names, spec, table.oid);
  flow.key = key;
  if (flow.to_partitioned) {
    flow.key = co_await WithPartitionKey(session, names, spec, table.oid, key);
    co_await MarkPartitionedKey(session, names, key, stored.definition);
  } else {
    co_await MarkKey(session, names, key, stored.definition, run);
  }
  co_await KeepKeyExact(session, flow);
  stored.definition.checks = co_await TakeInvalidChecks(session, names, table.oid);
  stored.definition.renamed = Renamed(co_await SameColumns(session, names, spec, table.oid));
  co_await CopyRenamedSettings(session, table.oid, names.shadow, stored.definition.renamed);
  co_await RefuseUnsent(session, names, stored);
  co_await CarryLabels(session, names, stored, flow.to_partitioned && !table.partitioned);
  co_await SayMissingColumns(session, names, table.oid, shadow.remarks);
  co_await Strip(session, names, built);
  if (!spec.order_by.empty()) co_await copy::ReadOrder(session, flow, spec.order_by);
  co_await CheckMapping(session, spec, flow);
  // Locked by then: it stays as it was read.
  stored.definition.alike = table.partitioned && spec.definition.empty();
  const Partitions partitions =
      stored.definition.alike ? Partitions::kTheSame : Partitions::kFollowed;
  stored.definition.outline = co_await ReadOutline(session, table.oid, partitions);
  co_await SayNarrowSequences(session, names, table.oid, shadow.remarks);
  shadow.reverse = co_await FlowBack(session, names, spec, flow, key, shadow.remarks);
  stored.definition.revertible = shadow.reverse.has_value();
  co_await LimitLogs(session, shadow, spec, table.oid);
  co_return shadow;
}

}  // namespace pgalter::rebuild
