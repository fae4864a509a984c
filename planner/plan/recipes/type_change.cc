#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "planner/plan/estimate.h"
#include "planner/plan/firing.h"
#include "planner/plan/recipes/carry.h"
#include "planner/plan/recipes/column_guard.h"
#include "planner/plan/recipes/rebuild.h"
#include "planner/plan/recipes/shadow_column.h"
#include "planner/plan/split.h"
#include "planner/plan/steps.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using locks::Reason;
using sql::QuoteIdentifier;

// "numeric(10, 2) COLLATE x" of "ALTER c TYPE numeric(10, 2) COLLATE x USING …".
std::string TypeText(const std::string& command) {
  const auto words = sql::Words::Read(command);
  if (!words) return "";
  const std::size_t type = words->Find("type");
  return words->Cut(type + 1, words->Find("using", type));
}

// Only CHECKs are read again: they are taken off for the moment of the change.
std::optional<Proposal> AroundChecks(const Situation& situation, const std::string& column) {
  Proposal proposal;
  Texts sql;
  Texts again;
  std::vector<std::string> names;
  std::vector<Step> validations;
  for (const catalog::Constraint& check : situation.Table()->constraints) {
    if (check.definition.kind != ast::ConstraintKind::kCheck || !check.definition.expression)
      continue;
    const auto& uses = check.definition.expression->facts.columns;
    if (std::ranges::none_of(uses, [&](const auto& use) { return use.name == column; })) continue;
    const std::string name = QuoteIdentifier(check.name);
    names.push_back(check.name);
    sql.push_back(fmt::format("{} DROP CONSTRAINT {}", situation.head, name));
    again.push_back(fmt::format("{} ADD CONSTRAINT {} CHECK ({}){} NOT VALID", situation.head, name,
                                check.definition.expression->text,
                                check.definition.no_inherit ? " NO INHERIT" : ""));
    if (check.valid) validations.push_back(Validate(situation.TableName(), check.name));
  }
  if (sql.empty()) return std::nullopt;
  const Carried comments = CarryCheckComments(situation.TableName(), names);
  sql.insert(sql.begin(), comments.note);
  sql.push_back(situation.text);
  sql.insert(sql.end(), again.begin(), again.end());
  sql.push_back(comments.apply);
  proposal.steps.push_back(Ddl(Phase::kExpand, std::move(sql), {},
                               "The rows stay as they are; the CHECKs are put back unvalidated, so "
                               "that nothing is read under the lock."));
  proposal.steps.back().point_of_no_return = true;
  proposal.steps.insert(proposal.steps.end(), validations.begin(), validations.end());
  return proposal;
}

bool Only(const locks::Effects& effects, Reason reason) {
  return std::ranges::all_of(effects.works,
                             [&](const locks::Work& work) { return work.reason == reason; });
}

// The actions of one ALTER TABLE on one column that are one change: TYPE, with the default taken
// off before, and set after it.
struct Change {
  const ast::TableCommand* type = nullptr;
  std::string text;  // of its action
  std::optional<std::string> default_value;
};

std::optional<Change> Read(const Situation& situation) {
  const auto* alter = situation.statement.As<ast::AlterTable>();
  if (alter == nullptr) return std::nullopt;
  Change change;
  const auto actions = SplitAlterTable(situation.statement, situation.text);
  for (const ast::TableCommand& command : alter->commands) {
    if (command.name != alter->commands.front().name) return std::nullopt;
    if (command.change == ast::TableChange::kSetType && change.type == nullptr) {
      change.type = &command;
    } else if (command.change == ast::TableChange::kDropDefault) {
      if (!change.default_value) change.default_value = "";
    } else if (command.change == ast::TableChange::kSetDefault && command.expression) {
      change.default_value = command.expression->text;
    } else {
      return std::nullopt;
    }
  }
  for (const Action& action : actions) {
    const auto& commands = action.statement.As<ast::AlterTable>()->commands;
    if (commands.size() == 1 && commands.front().change == ast::TableChange::kSetType)
      change.text = action.command;
  }
  return change.type == nullptr || change.text.empty() ? std::nullopt : std::optional(change);
}

// The rows stay as they are, but views, policies or triggers read the column: they go and come
// back.
Proposal AroundReaders(const Situation& situation, const std::string& column,
                       const InTheWay& in_the_way) {
  const Carried views = CarryViews(in_the_way.views);
  const CarriedAway readers = CarryReaders(situation.TableName(), column);
  Texts sql;
  if (in_the_way.readers) sql = {readers.note, readers.drop};
  if (!in_the_way.views.empty()) {
    sql.push_back(RefuseViewsInUse(in_the_way.views));
    sql.push_back(views.note);
    sql.push_back(DropViews(in_the_way.views));
  }
  sql.push_back(situation.text);
  if (!in_the_way.views.empty()) sql.push_back(views.apply);
  if (in_the_way.readers) sql.push_back(readers.apply);
  Proposal proposal;
  proposal.steps.push_back(Ddl(Phase::kExpand, std::move(sql), {},
                               "What reads the column, views, policies and triggers, is made again "
                               "as it was, with its rights; no row is read."));
  proposal.steps.back().point_of_no_return = true;
  return proposal;
}

bool WritesRows(const locks::Effects& effects) {
  return std::ranges::any_of(effects.works, [](const locks::Work& work) {
    return work.kind == locks::Work::Kind::kRewrite;
  });
}

// Where the table could be copied as well.
std::string Alternative(const catalog::Table& table) {
  std::string text =
      "with --prefer rebuild the table is copied beside itself instead, and changes places with "
      "the "
      "copy in one moment with tables that foreign keys join to it and whose statements follow";
  const auto rebuild = RebuildTime(table);
  const auto backfill = BackfillTime(table);
  if (rebuild && backfill)
    text += fmt::format(": it takes {} and {} of disk, the backfill {}", InWords(*rebuild),
                        BytesInWords(*table.bytes), InWords(*backfill));
  return text;
}

// The triggers of users that filling the second column would fire, with the reason; empty: none.
std::string WhyFiringIn(const Situation& situation, const Proposal& replaced) {
  for (const Step& step : replaced.steps)
    if (step.backfill) return WhyFiring(situation, *step.backfill);
  return "";
}

Proposal CopiedForTriggers(const Situation& situation, const ShadowColumn& shadow,
                           const std::string& why) {
  Proposal proposal = CopyTable(situation, shadow);
  proposal.remarks.push_back(fmt::format(
      "{} is copied beside itself, which fires no trigger, as the statement fires none. With a "
      "second column {}; if they may, it goes in place with --fire-triggers",
      Show(situation.schema.Resolve(situation.TableName())), why));
  return proposal;
}

Proposal InPlaceOrCopied(const Situation& situation, const ShadowColumn& shadow) {
  const sql::QualifiedName name = situation.schema.Resolve(situation.TableName());
  const bool writes = WritesRows(situation.effects);
  const std::string why_not = writes ? WhyNotRebuilt(situation, name) : "";
  const bool preferred = writes && situation.prefer == Preference::kRebuild;
  if (preferred && why_not.empty()) return CopyTable(situation, shadow);
  Proposal replaced = ReplaceColumn(situation, shadow);
  const bool in_place = std::ranges::any_of(
      replaced.steps, [](const Step& step) { return step.kind == StepKind::kBackfill; });
  const std::string firing = WhyFiringIn(situation, replaced);
  if (!firing.empty() && !MayFire(situation) && writes && why_not.empty())
    return CopiedForTriggers(situation, shadow, firing);
  if (preferred) {
    replaced.remarks.push_back(fmt::format("{} is not rebuilt: {}", Show(name), why_not));
  } else if (writes && in_place && why_not.empty()) {
    replaced.remarks.push_back(Alternative(*situation.Table()));
  }
  return replaced;
}

// The server never alters a column of a partition key, whatever becomes of the rows.
std::optional<Proposal> CopiedWithKey(const Situation& situation, const ShadowColumn& shadow) {
  const sql::QualifiedName name = situation.schema.Resolve(situation.TableName());
  if (!WhyNotRebuilt(situation, name).empty()) return std::nullopt;
  Proposal proposal = CopyTable(situation, shadow);
  proposal.remarks.push_back(fmt::format(
      "{} is partitioned by {}, whose type the server does not change: the table is copied into "
      "partitions of the new one, with the same bounds",
      Show(name), QuoteIdentifier(shadow.column)));
  return proposal;
}

// Materialized views that read the column come along with a copy alone, whatever is preferred and
// whatever becomes of the rows.
std::optional<Proposal> CopiedWithMatviews(const Situation& situation, const ShadowColumn& shadow) {
  const sql::QualifiedName name = situation.schema.Resolve(situation.TableName());
  if (!WhyNotRebuilt(situation, name).empty()) return std::nullopt;
  Proposal proposal = CopyTable(situation, shadow);
  if (situation.prefer != Preference::kRebuild || !WritesRows(situation.effects))
    proposal.remarks.push_back(
        fmt::format("a materialized view reads {}.{}, whose type the server does not change then: "
                    "the table is copied, and the view made anew over the copy",
                    Show(name), QuoteIdentifier(shadow.column)));
  return proposal;
}

// A copy has them made anew where it changes places with the table.
std::optional<Proposal> WithViews(std::optional<Proposal> proposal, const InTheWay& in_the_way) {
  if (!proposal || in_the_way.views.empty()) return proposal;
  std::vector<std::string> names;
  for (const sql::QualifiedName& view : in_the_way.views) names.push_back(Show(view));
  for (Step& step : proposal->steps) {
    if (step.kind != StepKind::kRebuild) continue;
    step.explain += fmt::format(
        " With that, and with a revert, what reads the column is dropped and made anew, with its "
        "rights: view{} {}.",
        names.size() == 1 ? "" : "s", fmt::join(names, ", "));
    for (const sql::QualifiedName& view : in_the_way.views)
      step.locks.push_back({view, locks::LockMode::kAccessExclusive});
  }
  return proposal;
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto change = Read(situation);
  if (!change || situation.schema.IsNew(situation.TableName())) return std::nullopt;
  const auto in_the_way = FindInTheWay(situation);
  if (!in_the_way) return std::nullopt;
  const bool free = situation.effects.works.empty();
  const bool clear = in_the_way->views.empty() && !in_the_way->readers && !in_the_way->matviews;
  if (free && clear && !in_the_way->partition_key) return std::nullopt;
  const catalog::Table* table = situation.Table();
  if (table == nullptr || !table->complete) return std::nullopt;  // remarks say what is not known
  const std::string& column = change->type->name;
  const ShadowColumn shadow{column, TypeText(change->text),
                            change->type->expression ? change->type->expression->text : "",
                            change->default_value};
  if (in_the_way->partition_key) return WithViews(CopiedWithKey(situation, shadow), *in_the_way);
  if (in_the_way->matviews) return WithViews(CopiedWithMatviews(situation, shadow), *in_the_way);
  if (free) return AroundReaders(situation, column, *in_the_way);
  if (clear && !change->default_value && Only(situation.effects, Reason::kTypeChangeCheck))
    return AroundChecks(situation, column);
  return WithViews(InPlaceOrCopied(situation, shadow), *in_the_way);
}

}  // namespace

const Recipe kTypeChange{
    .name = "type-change",
    .forms = "ALTER COLUMN … TYPE that rewrites the table, builds an index or checks rows again",
    .steps =
        "a new column that a trigger keeps up, a backfill, the same indexes, constraints and "
        "foreign keys on it; a gate; behind it the trigger is made anew and all rows are compared "
        "with it once more; in one short transaction the old column goes and the new "
        "one takes its name, with default, comment, rights, statistics, identity and "
        "sequence. Where only a CHECK stands in the way: it is put back NOT VALID and "
        "validated. The column moves to the end of the table. A partitioned table is copied as a "
        "whole, see rebuild: of its keys integers may become wider, and varchar text",
    .propose = &Propose};

}  // namespace pgalter::plan
