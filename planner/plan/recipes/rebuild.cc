#include "planner/plan/recipes/rebuild.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "planner/plan/estimate.h"
#include "planner/plan/inverse.h"
#include "planner/plan/split.h"
#include "planner/sql/identifier.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using ast::TableChange;
using locks::Reason;

// What else there is to do.
std::string Advice(const Situation& situation, const locks::Work& work) {
  constexpr int kVirtual = 18;
  switch (work.reason) {
    case Reason::kGeneratedColumn:
      return situation.version >= kVirtual
                 ? "a VIRTUAL column needs no copy; or a plain column, filled by a trigger and a "
                   "backfill"
                 : "a plain column, filled by a trigger and a backfill, needs no copy";
    case Reason::kConstrainedDomain:
      return "the domain's base type and a CHECK of the table need no copy";
    case Reason::kPersistence:
      return "a small table is through in a moment: look at its size";
    default:
      return "";
  }
}

bool IsRebuild(const locks::Work& work) {
  if (work.kind != locks::Work::Kind::kRewrite || work.certainty != locks::Certainty::kCertain)
    return false;
  switch (work.reason) {
    case Reason::kGeneratedColumn:
    case Reason::kConstrainedDomain:
    case Reason::kGenerationExpression:
    case Reason::kPersistence:
    case Reason::kVacuumFull:
    case Reason::kCluster:
    case Reason::kTablespace:
    case Reason::kAccessMethod:
      return true;
    default:
      return false;
  }
}

// The actions that are one copy together; empty: these are not.
std::string Actions(const Situation& situation, const ast::AlterTable& alter) {
  if (alter.commands.size() == 1) return situation.command_text;
  const bool storage = std::ranges::all_of(alter.commands, [](const ast::TableCommand& command) {
    return command.change == TableChange::kSetLogged ||
           command.change == TableChange::kSetUnlogged ||
           command.change == TableChange::kSetTablespace ||
           command.change == TableChange::kSetAccessMethod;
  });
  if (!storage) return "";
  std::vector<std::string> commands;
  for (const Action& action : SplitAlterTable(situation.statement, situation.text))
    commands.push_back(action.command);
  return fmt::format("{}", fmt::join(commands, ", "));
}

bool AddsForeignKey(const ast::AlterTable& alter) {
  return std::ranges::any_of(alter.commands, [](const ast::TableCommand& command) {
    return command.column && command.column->Find(ast::ConstraintKind::kForeignKey) != nullptr;
  });
}

// The order of the index that CLUSTER names, as `--order-by` has it; nullopt: chunks cannot be read
// in that order, or the index is not known.
std::optional<std::string> OrderOf(const Situation& situation, const ast::Cluster& cluster) {
  const catalog::Table* table = situation.schema.FindTable(*cluster.table);
  if (table == nullptr) return std::nullopt;
  const auto index = std::ranges::find_if(
      table->indexes, [&](const catalog::Index& one) { return one.name.name == cluster.index; });
  if (index == table->indexes.end() || index->method != "btree") return std::nullopt;
  std::vector<std::string> columns;
  for (const ast::IndexColumn& part : index->columns) {
    const catalog::Column* column = table->FindColumn(part.column);
    if (column == nullptr || !column->not_null || part.descending || part.nulls_first ||
        !part.collation.name.empty() || !part.operator_class.name.empty())
      return std::nullopt;
    columns.push_back(sql::QuoteIdentifier(part.column));
  }
  return fmt::format("{}", fmt::join(columns, ", "));
}

std::string WhyNotThis(const Situation& situation, const locks::Work& work) {
  const auto* cluster = situation.statement.As<ast::Cluster>();
  if (cluster != nullptr && cluster->index.empty())
    return "which index it was clustered by is not known here: say CLUSTER … USING it";
  const catalog::Table* table = situation.schema.FindTable(work.relation);
  if (cluster != nullptr && table != nullptr && table->kind == catalog::TableKind::kPartitioned)
    return "it is partitioned, and a copy of all its partitions is in no order; without the order "
           "pgalter rebuild takes dead space away";
  if (cluster != nullptr && !OrderOf(situation, *cluster))
    return "chunks are read in the order of an index of columns that are NOT NULL, ascending; "
           "without the order pgalter rebuild takes dead space away";
  const auto* alter = situation.statement.As<ast::AlterTable>();
  if (alter != nullptr && AddsForeignKey(*alter))
    return "it adds a foreign key besides: give that a statement of its own, NOT VALID";
  return WhyNotRebuilt(situation, work.relation);
}

// The statement itself, and who waits for it.
Proposal Plainly(const Situation& situation, const locks::Work& work, const std::string& why) {
  Proposal proposal;
  proposal.answer = Answer::kLeastBad;
  proposal.remarks.push_back(
      fmt::format("{} is not copied beside itself: {}", Show(work.relation), why));
  Step step = Ddl(Phase::kMigrate, {situation.text}, {},
                  "The table is written anew under the lock, from beginning to end.");
  if (situation.effects.outside_transaction) {
    step.kind = StepKind::kAutocommit;
    step.transaction = Transaction::kNone;
  }
  const auto inverse = InverseOf(situation);
  step.point_of_no_return = !inverse;
  if (inverse) {
    step.undo = inverse->sql;
    step.undo_transaction = inverse->transaction;
  }
  proposal.steps.push_back(std::move(step));
  return proposal;
}

// Of a table that is known from end to end.
bool HasKey(const catalog::Table& table) {
  return std::ranges::any_of(table.indexes, [&](const catalog::Index& index) {
    const catalog::Constraint* key = table.FindConstraint(index.name.name);
    const bool deferrable = index.constraint && key != nullptr && key->definition.deferrable;
    return index.unique && index.valid && !index.where && !deferrable &&
           std::ranges::all_of(index.columns, [&](const ast::IndexColumn& part) {
             const catalog::Column* column = table.FindColumn(part.column);
             return column != nullptr && (!column->known || column->not_null);
           });
  });
}

// Of the whole, in its own schema.
std::string WhyNotWithPartitions(const catalog::Schema& schema, const catalog::Table& whole) {
  std::vector<const catalog::Table*> next = schema.Children(whole.name);
  while (!next.empty()) {
    const catalog::Table* partition = next.back();
    next.pop_back();
    if (partition->kind == catalog::TableKind::kForeign)
      return fmt::format("its partition {} is a foreign table", Show(partition->name));
    if (partition->name.schema != whole.name.schema)
      return fmt::format("its partition {} is in another schema: ALTER TABLE … SET SCHEMA first",
                         Show(partition->name));
    for (const catalog::Table* below : schema.Children(partition->name)) next.push_back(below);
  }
  return "";
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* alter = situation.statement.As<ast::AlterTable>();
  std::string actions;
  if (alter != nullptr) {
    actions = Actions(situation, *alter);
    if (actions.empty()) return std::nullopt;
  }
  const auto* vacuum = situation.statement.As<ast::Vacuum>();
  if (vacuum != nullptr && vacuum->tables.empty()) return std::nullopt;
  const auto* cluster = situation.statement.As<ast::Cluster>();
  if (cluster != nullptr && !cluster->table) return std::nullopt;
  // It is remembered, as CLUSTER remembers it.
  if (cluster != nullptr) actions = "CLUSTER ON " + sql::QuoteIdentifier(cluster->index);
  std::vector<const locks::Work*> works;
  for (const locks::Work& work : situation.effects.works) {
    if (!IsRebuild(work) || situation.schema.IsNew(work.relation)) continue;
    const bool known = std::ranges::any_of(
        works, [&](const locks::Work* other) { return other->relation == work.relation; });
    if (!known) works.push_back(&work);
  }
  if (works.empty()) return std::nullopt;
  Proposal proposal;
  for (const locks::Work* work : works) {
    if (const std::string why = WhyNotThis(situation, *work); !why.empty())
      return Plainly(situation, *work, why);
    proposal.steps.push_back(MakeRebuild(situation, work->relation, actions));
    if (cluster != nullptr)
      proposal.steps.back().rebuild->order_by = OrderOf(situation, *cluster).value_or("");
    if (const std::string advice = Advice(situation, *work); !advice.empty())
      proposal.remarks.push_back(advice);
  }
  return proposal;
}

std::string NameAndSize(const catalog::Schema& schema, const sql::QualifiedName& matview) {
  const catalog::Table* table = schema.FindTable(matview);
  if (table == nullptr || !table->bytes) return Show(matview);
  return fmt::format("{} ({} now)", Show(matview), BytesInWords(*table->bytes));
}

}  // namespace

std::vector<sql::QualifiedName> MatviewsOver(const catalog::Schema& schema,
                                             const sql::QualifiedName& name) {
  std::vector<sql::QualifiedName> found;
  std::vector<sql::QualifiedName> next{name};
  while (!next.empty()) {
    const sql::QualifiedName one = std::move(next.back());
    next.pop_back();
    for (const catalog::Table* view : schema.Views(one)) {
      if (view->kind != catalog::TableKind::kMaterializedView) continue;
      if (std::ranges::find(found, view->name) != found.end()) continue;
      found.push_back(view->name);
      next.push_back(view->name);
    }
  }
  return found;
}

std::string OfMatviews(const catalog::Schema& schema,
                       const std::vector<sql::QualifiedName>& tables) {
  std::vector<std::string> names;
  for (const sql::QualifiedName& table : tables)
    for (const sql::QualifiedName& matview : MatviewsOver(schema, table)) {
      std::string name = NameAndSize(schema, matview);
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
  if (names.empty()) return "";
  return fmt::format(
      " Made anew over the copy, and put in place with it: materialized view{} {}. Right before "
      "the "
      "change of places, and before a revert, that takes as long as REFRESH does, which is not in "
      "the estimate, and its disk once more.",
      names.size() == 1 ? "" : "s", fmt::join(names, ", "));
}

std::string WhyNotRebuilt(const Situation& situation, const sql::QualifiedName& name) {
  constexpr int kOldest = 14;
  if (situation.version < kOldest) return fmt::format("that needs PostgreSQL {}", kOldest);
  const catalog::Table* table = situation.schema.FindTable(name);
  if (table == nullptr) return "";
  if (table->parent)
    return "it is a partition: change the whole, or detach it, rebuild it, and attach it again";
  const bool partitioned = table->kind == catalog::TableKind::kPartitioned;
  if (partitioned) {
    if (std::string why = WhyNotWithPartitions(situation.schema, *table); !why.empty()) return why;
  } else if (table->kind != catalog::TableKind::kTable) {
    return "it is no table";
  } else if (!table->inherits.empty() || !situation.schema.Children(table->name).empty()) {
    return "other tables inherit from it, or it from them";
  }
  if (!table->of_type.empty()) return "it is a table of a type";
  if (situation.matviews == Matviews::kInTheWay)
    for (const sql::QualifiedName& matview : MatviewsOver(situation.schema, name))
      return fmt::format(
          "materialized view {} reads it: drop that before, and make it again after; or have it "
          "made anew with the table: --rebuild-matviews",
          Show(matview));
  if (table->complete && !HasKey(*table))
    return "it has no unique key over NOT NULL columns, by which its rows could be told apart";
  return "";
}

Step MakeRebuild(const Situation& situation, const sql::QualifiedName& name, std::string alter) {
  Step step;
  step.kind = StepKind::kRebuild;
  step.phase = Phase::kMigrate;
  step.transaction = Transaction::kNone;
  step.sql = {situation.text};
  step.rebuild = Rebuild{sql::ToString(name), std::move(alter), {}, {}};
  step.rebuild->rebuild_matviews = situation.matviews == Matviews::kMadeAnew;
  // Foreign keys change places with the table.
  step.locks.push_back({name, locks::LockMode::kAccessExclusive});
  const auto joined = [&step](const sql::QualifiedName& other) {
    if (std::ranges::find(step.locks, other, &StepLock::relation) == step.locks.end())
      step.locks.push_back({other, locks::LockMode::kAccessExclusive});
  };
  for (const auto& [other, key] : situation.schema.References(name)) joined(other->name);
  if (const catalog::Table* table = situation.schema.FindTable(name))
    for (const catalog::Constraint& key : table->constraints)
      if (key.definition.foreign_key)
        joined(situation.schema.Resolve(key.definition.foreign_key->target));
  for (const sql::QualifiedName& matview : MatviewsOver(situation.schema, name)) joined(matview);
  step.explain = fmt::format(
      "{} is copied beside itself while it is used, compared, and changes places with its copy "
      "under a short lock; the old table is kept, with what users write, until finish.",
      Show(name));
  step.explain += OfMatviews(situation.schema, {name});
  return step;
}

const Recipe kRebuild{
    .name = "rebuild",
    .forms =
        "SET LOGGED, SET UNLOGGED, SET TABLESPACE, SET ACCESS METHOD, VACUUM FULL, SET EXPRESSION, "
        "a stored generated column, a column of a constrained domain; CLUSTER",
    .steps =
        "a rebuild: a copy beside the table that takes its place, taken back without a loss. "
        "Before a later step on the same table, or another rebuild, a gate, behind which the old "
        "table goes. A partitioned table is copied with all its partitions. Where no copy can take "
        "its place (a partition alone, inheritance, no key, an order that chunks cannot have) the "
        "plan says so, and who waits",
    .propose = &Propose};

}  // namespace pgalter::plan
