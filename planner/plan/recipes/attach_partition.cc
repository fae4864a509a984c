#include <fmt/format.h>

#include <utility>

#include "planner/locks/list_condition.h"
#include "planner/plan/recipes/attach.h"
#include "planner/plan/recipes/constraint.h"
#include "planner/plan/recipes/foreign_key.h"
#include "planner/plan/recipes/index.h"
#include "planner/plan/steps.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using locks::Reason;
using sql::QuoteIdentifier;

// The bound as a condition, and its opposite; none where no CHECK can say it: several columns, a
// hash.
struct Condition {
  std::string inside;
  std::string outside;
};

bool IsOpen(const std::string& end) { return end == "MINVALUE" || end == "MAXVALUE"; }

std::optional<Condition> ConditionOf(const catalog::Table& parent,
                                     const ast::PartitionBound& bound) {
  if (!parent.partition_by || parent.partition_by->columns.size() != 1 || bound.is_default)
    return std::nullopt;
  const std::string& name = parent.partition_by->columns.front();
  if (name.empty()) return std::nullopt;
  const std::string column = QuoteIdentifier(name);
  Condition condition{column + " IS NOT NULL", column + " IS NULL"};
  const auto add = [&](const char* inside, const char* outside, const std::string& value) {
    condition.inside += fmt::format(" AND {} {} {}", column, inside, value);
    condition.outside += fmt::format(" OR {} {} {}", column, outside, value);
  };
  if (bound.from.size() == 1 && bound.to.size() == 1) {
    if (!IsOpen(bound.from[0])) add(">=", "<", bound.from[0]);
    if (!IsOpen(bound.to[0])) add("<", ">=", bound.to[0]);
    return condition;
  }
  if (bound.values.empty()) return std::nullopt;
  locks::ListCondition list = locks::ListConditionOf(column, bound.values);
  return Condition{std::move(list.inside), std::move(list.outside)};
}

// What a new partition's rows have to fulfil: its own bound, and where the parent is a partition
// itself, those above it. Empty where one of them cannot be said.
std::vector<std::string> ConditionsInside(const catalog::Schema& schema,
                                          const catalog::Table& parent,
                                          const ast::PartitionBound& bound) {
  std::vector<std::string> conditions;
  const catalog::Table* above = &parent;
  const ast::PartitionBound* asked = &bound;
  while (above != nullptr && asked != nullptr) {
    const auto condition = ConditionOf(*above, *asked);
    if (!condition) return {};
    conditions.push_back(condition->inside);
    if (!above->parent) return conditions;
    asked = above->bound ? &*above->bound : nullptr;
    above = schema.FindTable(*above->parent);
  }
  return {};
}

class Attachment {
 public:
  Attachment(const Situation& situation, const ast::TableCommand& command)
      : situation_(situation),
        partition_(*command.other),
        bound_(*command.bound),
        after_(situation.After()) {}

  Proposal Propose() {
    // A table of the same plan has no rows: what it lacks is made in no time.
    const bool empty = situation_.schema.IsNew(partition_);
    if (!empty) {
      MakeIndexes();
      MakeForeignKeys();
    }
    if (!empty && situation_.FindWork(Reason::kPartitionBound) != nullptr) CheckInside();
    const auto condition = ConditionOf(*situation_.Table(), bound_);
    const auto resolved = situation_.schema.Resolve(situation_.TableName());
    const catalog::Table* rest = situation_.schema.DefaultPartition(resolved);
    const std::string outside = MadeName("outside", partition_, "");
    if (condition && rest != nullptr && situation_.FindWork(Reason::kDefaultPartition) != nullptr)
      CheckOutside(*rest, outside, condition->outside);
    Texts sql = {situation_.text};
    for (const std::string& drop : drops_) sql.push_back(drop);
    Texts undo = {fmt::format("ALTER TABLE {} DETACH PARTITION {}",
                              sql::ToString(situation_.TableName()), sql::ToString(partition_))};
    proposal_.steps.push_back(Ddl(Phase::kMigrate, std::move(sql), std::move(undo),
                                  "What the CHECKs prove is not read again; then they go."));
    return std::move(proposal_);
  }

 private:
  // One for each level, as each is proven by itself.
  void CheckInside() {
    const auto conditions = ConditionsInside(situation_.schema, *situation_.Table(), bound_);
    for (std::size_t level = 0; level < conditions.size(); ++level)
      Check(partition_,
            MadeName("bound", partition_, level == 0 ? "" : fmt::format("above{}", level)),
            conditions[level]);
  }

  // The server, too, would take no such row there, but only once the partition is attached.
  void CheckOutside(const catalog::Table& rest, const std::string& name,
                    const std::string& condition) {
    Check(rest.name, name, condition,
          fmt::format("Says of the rows of {} that none is of the new bound, so that they are read "
                      "without a lock. Until the partition is attached an INSERT of such a row, "
                      "which went there before, fails (23514).",
                      Show(rest.name)));
    proposal_.remarks.push_back(fmt::format(
        "from the CHECK on {0} until the partition is attached, for as long as {0} is read and "
        "while "
        "nobody resumes a run that has died, an INSERT or UPDATE that would put a row of the new "
        "bound into {0} fails (23514): make partitions before rows of them come",
        Show(rest.name)));
  }

  void Check(const sql::QualifiedName& table, const std::string& name, const std::string& condition,
             std::string explain =
                 "Says of the rows what the bound asks, so that they are read without a lock.") {
    const std::string head = "ALTER TABLE " + sql::ToString(table);
    AddInTwoSteps(table, head, name, fmt::format("CHECK ({})", condition), std::move(explain),
                  proposal_.steps);
    drops_.push_back(fmt::format("{} DROP CONSTRAINT {}", head, QuoteIdentifier(name)));
  }

  // What the server would build under its lock. A key needs its constraint, too.
  void MakeIndexes() {
    const catalog::Table* now = situation_.schema.FindTable(partition_);
    const catalog::Table* then = after_.FindTable(partition_);
    if (now == nullptr || then == nullptr) return;
    for (const catalog::Index& index : then->indexes) {
      if (now->FindIndex(index.name.name) != nullptr) continue;
      const catalog::Constraint* key = then->FindConstraint(index.name.name);
      if (key != nullptr) {
        if (key->definition.kind == ast::ConstraintKind::kPrimaryKey)
          ForbidNull(situation_, partition_, "ALTER TABLE " + sql::ToString(partition_),
                     key->definition.columns, proposal_.steps);
        ast::Constraint like = key->definition;
        like.index_options = index.options;
        like.index_tablespace = index.tablespace;
        AddKey({partition_, key->name, like.kind, &like}, situation_.schema, after_,
               proposal_.steps);
        continue;
      }
      // As it is written on the parent, so no name in it has to be changed.
      const auto like = LikeIndex(index, {partition_, index.name.name}, ColumnNames());
      proposal_.steps.push_back(BuildIndex(like.value_or(""), index.name,
                                           "The like of the parent's, before it is needed."));
    }
  }

  void MakeForeignKeys() {
    for (const auto& work : situation_.effects.works) {
      if (work.reason != Reason::kForeignKey ||
          situation_.schema.Resolve(work.relation) != situation_.schema.Resolve(partition_))
        continue;
      const catalog::Constraint* key = situation_.Table()->FindConstraint(work.subject);
      if (key == nullptr) continue;
      AddInTwoSteps(partition_, "ALTER TABLE " + sql::ToString(partition_), key->name,
                    ForeignKeyText(key->definition),
                    "The like of the parent's foreign key; nothing is read yet.", proposal_.steps);
    }
  }

  const Situation& situation_;
  const sql::QualifiedName& partition_;
  const ast::PartitionBound& bound_;
  catalog::Schema after_;
  Texts drops_;
  Proposal proposal_;
};

}  // namespace

Proposal AttachPartition(const Situation& situation, const ast::TableCommand& command) {
  return Attachment(situation, command).Propose();
}

namespace {

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* command = situation.Command(ast::TableChange::kAttachPartition);
  if (command == nullptr || !command->other || !command->bound || situation.Table() == nullptr)
    return std::nullopt;
  if (situation.effects.works.empty() || situation.schema.IsNew(situation.TableName()))
    return std::nullopt;
  Proposal proposal = AttachPartition(situation, *command);
  // Nothing was found to be made beforehand: then it is what it was.
  if (proposal.steps.size() == 1) return std::nullopt;
  return proposal;
}

}  // namespace

const Recipe kAttachPartition{
    .name = "attach-partition",
    .forms = "ATTACH PARTITION where rows would be read or indexes built",
    .steps =
        "the parent's indexes, keys and foreign keys on the partition, each without a lock; "
        "a CHECK of the bound, and of its opposite on the DEFAULT partition, NOT VALID and "
        "validated; ATTACH, and the CHECKs are dropped",
    .propose = &Propose};

}  // namespace pgalter::plan
