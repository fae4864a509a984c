#include "planner/plan/order.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "planner/locks/effects.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using ast::ConstraintKind;
using ast::TableChange;

// Columns; what is not understood is about everything.
struct About {
  bool everything = false;
  std::set<std::string> columns;

  void Add(const std::vector<std::string>& names) { columns.insert(names.begin(), names.end()); }
  void Add(const std::optional<ast::Expression>& expression) {
    if (!expression) return;
    for (const sql::ColumnUse& use : expression->facts.columns) {
      everything = everything || use.whole_row || use.name.empty();
      columns.insert(use.name);
    }
  }
  void Add(const ast::Constraint& constraint) {
    Add(constraint.columns);
    Add(constraint.included);
    Add(constraint.expression);
    everything = everything || !constraint.using_index.empty();
  }
  [[nodiscard]] bool Meets(const About& other) const {
    if (everything || other.everything) return true;
    return std::ranges::any_of(
        columns, [&](const std::string& name) { return other.columns.contains(name); });
  }
};

class Reader {
 public:
  Reader(const catalog::Schema& schema, const ast::AlterTable& alter)
      : schema_(schema), alter_(alter), table_(schema.FindTable(alter.name)) {}

  [[nodiscard]] About Read() {
    for (const ast::TableCommand& command : alter_.commands) Add(command);
    // A whole row of the table goes by the table's name.
    if (about_.columns.contains(alter_.name.name)) about_.everything = true;
    return about_;
  }

  // With what hangs on the same index, constraint or generated column.
  [[nodiscard]] About ReadWithNeighbours() {
    about_ = Read();
    if (table_ == nullptr || about_.everything) return about_;
    for (bool more = true; more;) {
      const std::size_t known = about_.columns.size();
      for (const About& group : Groups())
        if (about_.Meets(group)) Merge(group);
      more = about_.columns.size() != known && !about_.everything;
    }
    return about_;
  }

 private:
  void Merge(const About& group) {
    about_.everything = about_.everything || group.everything;
    about_.columns.insert(group.columns.begin(), group.columns.end());
  }
  void AddNew(const ast::Constraint& constraint) {
    about_.Add(constraint);
    if (constraint.foreign_key &&
        schema_.Resolve(constraint.foreign_key->target) == schema_.Resolve(alter_.name))
      about_.everything = true;
  }
  void AddNamed(const std::string& name) {
    const catalog::Constraint* known = table_ == nullptr ? nullptr : table_->FindConstraint(name);
    if (known == nullptr) {
      about_.everything = true;
    } else {
      about_.Add(known->definition);
    }
  }
  void Add(const ast::TableCommand& command);
  [[nodiscard]] std::vector<About> Groups() const;

  const catalog::Schema& schema_;
  const ast::AlterTable& alter_;
  const catalog::Table* table_;
  About about_;
};

void Reader::Add(const ast::TableCommand& command) {
  switch (command.change) {
    case TableChange::kAddColumn:
      about_.columns.insert(command.column->name);
      for (const ast::Constraint& constraint : command.column->constraints) AddNew(constraint);
      return;
    case TableChange::kDropColumn:
    case TableChange::kSetType:
    case TableChange::kSetDefault:
    case TableChange::kDropDefault:
    case TableChange::kSetNotNull:
    case TableChange::kDropNotNull:
    case TableChange::kAddIdentity:
    case TableChange::kSetIdentity:
    case TableChange::kDropIdentity:
    case TableChange::kSetExpression:
    case TableChange::kDropExpression:
    case TableChange::kSetStatistics:
    case TableChange::kSetStorage:
    case TableChange::kSetCompression:
    case TableChange::kSetColumnOptions:
    case TableChange::kResetColumnOptions:
      about_.columns.insert(command.name);
      about_.Add(command.expression);
      return;
    case TableChange::kAddConstraint:
      if (command.constraint) AddNew(*command.constraint);
      return;
    case TableChange::kDropConstraint:
    case TableChange::kValidateConstraint:
    case TableChange::kAlterConstraint:
      return AddNamed(command.name);
    case TableChange::kSetOptions:
    case TableChange::kResetOptions:
      return;
    default:
      about_.everything = true;
  }
}

std::vector<About> Reader::Groups() const {
  std::vector<About> groups;
  for (const catalog::Index& index : table_->indexes) {
    About& group = groups.emplace_back();
    for (const ast::IndexColumn& part : index.columns) {
      if (!part.column.empty()) group.columns.insert(part.column);
      group.Add(part.expression);
    }
    group.Add(index.included);
    group.Add(index.where);
  }
  for (const catalog::Constraint& constraint : table_->constraints)
    groups.emplace_back().Add(constraint.definition);
  for (const catalog::Column& column : table_->columns) {
    if (!column.generated) continue;
    groups.emplace_back().Add(column.generated_from);
    groups.back().columns.insert(column.name);
  }
  return groups;
}

const ast::AlterTable& Alter(const Action& action) {
  return *action.statement.As<ast::AlterTable>();
}

bool AddsPrimaryKey(const ast::TableCommand& command) {
  if (command.column && command.column->Find(ConstraintKind::kPrimaryKey) != nullptr) return true;
  return command.change == TableChange::kAddConstraint && command.constraint &&
         command.constraint->kind == ConstraintKind::kPrimaryKey;
}

bool DropsConstraint(const ast::AlterTable& alter, const std::string& name) {
  return std::ranges::any_of(alter.commands, [&](const ast::TableCommand& command) {
    return command.change == TableChange::kDropConstraint && command.name == name;
  });
}

std::size_t CertainFailures(const Action& action, const catalog::Schema& schema, int version) {
  const locks::Effects effects = locks::EffectsOf(action.statement, schema, version);
  return static_cast<std::size_t>(
      std::ranges::count(effects.failures, locks::Certainty::kCertain, &locks::Failure::certainty));
}

// The names of what the action makes in a table.
std::set<std::string> MadeBy(const Action& action, catalog::Schema schema) {
  const auto names = [&] {
    std::set<std::string> all;
    const catalog::Table* table = schema.FindTable(Alter(action).name);
    if (table == nullptr) return all;
    for (const catalog::Column& column : table->columns) all.insert("column " + column.name);
    for (const catalog::Constraint& one : table->constraints) all.insert("constraint " + one.name);
    for (const catalog::Index& index : table->indexes) all.insert("index " + index.name.name);
    return all;
  };
  const std::set<std::string> before = names();
  schema.Apply(action.statement);
  const std::set<std::string> after = names();
  std::set<std::string> made;
  std::ranges::set_difference(after, before, std::inserter(made, made.end()));
  return made;
}

// A part of a proposal that begins at the step `from`.
Proposal CutOff(Proposal& proposal, std::vector<Step>::iterator from) {
  Proposal rest;
  rest.answer = Answer::kAsIs;
  rest.steps.assign(std::make_move_iterator(from), std::make_move_iterator(proposal.steps.end()));
  proposal.steps.erase(from, proposal.steps.end());
  return rest;
}

auto FirstOf(Proposal& proposal, auto&& is_one) {
  return std::find_if(proposal.steps.begin(), proposal.steps.end(), is_one);
}

bool Soaks(const Planned& planned) {
  return std::ranges::any_of(planned.proposal.steps,
                             [](const Step& step) { return step.gate && step.gate->soak_s > 0; });
}

// A change of type whose USING reads a column that one of these drops.
bool UsesOneOf(const ast::TableCommand& command, const std::vector<Action>& drops) {
  if (command.change != TableChange::kSetType || !command.expression) return false;
  return std::ranges::any_of(command.expression->facts.columns, [&](const sql::ColumnUse& use) {
    return std::ranges::any_of(
        drops, [&](const Action& drop) { return Alter(drop).commands.front().name == use.name; });
  });
}

// As one; as they are where that is not understood.
std::vector<Action> Joined(std::vector<Action> actions) {
  std::vector<std::string> commands;
  for (const Action& action : actions) commands.push_back(action.command);
  const std::string command = fmt::format("{}", fmt::join(commands, ", "));
  const std::string text = fmt::format("{} {}", actions.front().head, command);
  auto statement = ast::ReadStatement(text);
  if (!statement || statement->As<ast::AlterTable>() == nullptr) return actions;
  return {Action{*std::move(statement), text, actions.front().head, command}};
}

// Of an action of one command; null: it has more.
const ast::TableCommand* Only(const Action& action) {
  const auto& commands = Alter(action).commands;
  return commands.size() == 1 ? &commands.front() : nullptr;
}

bool Is(const Action& action, TableChange change) {
  const ast::TableCommand* command = Only(action);
  return command != nullptr && command->change == change;
}

bool IsKey(ConstraintKind kind) {
  return kind == ConstraintKind::kPrimaryKey || kind == ConstraintKind::kUnique;
}

// Of the key that the action drops; none: it drops none. Unknown, it may be either.
std::optional<ConstraintKind> DroppedKey(const Action& action, const catalog::Schema& schema) {
  if (!Is(action, TableChange::kDropConstraint)) return std::nullopt;
  const catalog::Table* table = schema.FindTable(Alter(action).name);
  if (table == nullptr) return ConstraintKind::kPrimaryKey;
  const catalog::Constraint* known = table->FindConstraint(Only(action)->name);
  if (known == nullptr || !IsKey(known->definition.kind)) return std::nullopt;
  return known->definition.kind;
}

std::optional<ConstraintKind> AddedKey(const Action& action) {
  if (!Is(action, TableChange::kAddConstraint) || !Only(action)->constraint) return std::nullopt;
  const ConstraintKind kind = Only(action)->constraint->kind;
  return IsKey(kind) ? std::optional(kind) : std::nullopt;
}

// The columns that some action drops are not those that another needs or makes.
bool AreApart(const std::vector<Action>& actions, const Action& added) {
  std::set<std::string> dropped;
  for (const Action& action : actions)
    if (Is(action, TableChange::kDropColumn)) dropped.insert(Only(action)->name);
  const auto goes = [&](const std::string& name) { return dropped.contains(name); };
  const ast::Constraint& key = *Only(added)->constraint;
  if (std::ranges::any_of(key.columns, goes) || std::ranges::any_of(key.included, goes))
    return false;
  return std::ranges::none_of(actions, [&](const Action& action) {
    return Is(action, TableChange::kAddColumn) && goes(Only(action)->column->name);
  });
}

}  // namespace

bool Contracts(const Proposal& proposal) {
  return std::ranges::any_of(proposal.steps,
                             [](const Step& step) { return step.phase == Phase::kContract; });
}

std::vector<Action> JoinKeys(std::vector<Action> actions, const catalog::Schema& schema) {
  // The server drops before it adds.
  const auto drop = std::ranges::find_if(
      actions, [&](const Action& action) { return DroppedKey(action, schema).has_value(); });
  if (drop == actions.end()) return actions;
  const auto kind = *DroppedKey(*drop, schema);
  auto add = std::find_if(drop, actions.end(),
                          [&](const Action& action) { return AddedKey(action) == kind; });
  if (add == actions.end())
    add = std::find_if(drop, actions.end(),
                       [](const Action& action) { return AddedKey(action).has_value(); });
  if (add == actions.end() || !AreApart(actions, *add)) return actions;
  std::vector<Action> pair = Joined({*drop, *add});
  if (pair.size() != 1) return actions;
  *add = std::move(pair.front());
  std::stable_partition(std::next(drop), std::next(add),
                        [](const Action& action) { return !Is(action, TableChange::kDropColumn); });
  actions.erase(drop);
  return actions;
}

std::vector<Action> ArrangeDrops(std::vector<Action> actions) {
  std::vector<Action> drops;
  std::vector<Action> all;
  std::size_t place = 0;
  for (Action& action : actions) {
    if (Is(action, TableChange::kDropColumn)) {
      place = all.size();
      drops.push_back(std::move(action));
    } else {
      const bool reads = Only(action) != nullptr && UsesOneOf(*Only(action), drops);
      all.push_back(std::move(action));
      if (reads) place = all.size();
    }
  }
  if (drops.size() > 1) drops = Joined(std::move(drops));
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(place),
             std::make_move_iterator(drops.begin()), std::make_move_iterator(drops.end()));
  return all;
}

bool ActionOrder::MayComeFirst(const Action& action) const {
  if (!all_) return true;
  const About about = Reader(front_, Alter(action)).Read();
  for (const Action& other : gated_)
    if (about.Meets(Reader(front_, Alter(other)).Read())) return false;
  // Of a key that goes with its column: a table has one.
  if (std::ranges::any_of(Alter(action).commands, &AddsPrimaryKey)) {
    const catalog::Table* now = front_.FindTable(Alter(action).name);
    if (now == nullptr || !now->complete) return false;
    const catalog::Constraint* key = now->PrimaryKey();
    if (key != nullptr && !DropsConstraint(Alter(action), key->name)) return false;
  }
  if (CertainFailures(action, front_, version_) > CertainFailures(action, *all_, version_))
    return false;
  // What others leave may decide the names that the server gives, and what IF NOT EXISTS does.
  return MadeBy(action, front_) == MadeBy(action, *all_);
}

bool ActionOrder::IsApart(const Action& action) const {
  const About about = Reader(front_, Alter(action)).ReadWithNeighbours();
  return std::ranges::none_of(gated_, [&](const Action& other) {
    return about.Meets(Reader(front_, Alter(other)).ReadWithNeighbours());
  });
}

void ActionOrder::Add(Planned planned, bool first) {
  const Action action = planned.action;
  const bool contracts = Contracts(planned.proposal);
  if (!all_ && contracts) all_ = front_;
  if (all_) all_->Apply(action.statement);
  if (!first || contracts) gated_.push_back(action);
  if (!first) {
    behind_.push_back(std::move(planned));
    return;
  }
  if (!contracts) {
    front_.Apply(action.statement);
    early_.push_back(std::move(planned));
    return;
  }
  Proposal& proposal = planned.proposal;
  Planned contract{action, "", {}};
  contract.proposal = CutOff(
      proposal, FirstOf(proposal, [](const Step& s) { return s.phase == Phase::kContract; }));
  Planned middle{action, "", {}};
  middle.proposal =
      CutOff(proposal, FirstOf(proposal, [](const Step& s) { return s.phase != Phase::kExpand; }));
  early_.push_back(std::move(planned));
  middle_.push_back(std::move(middle));
  // Nothing waits for a day that need not.
  const auto place =
      Soaks(contract) ? behind_.end() : std::find_if(behind_.begin(), behind_.end(), &Soaks);
  behind_.insert(place, std::move(contract));
}

std::vector<Planned> ActionOrder::Take() && {
  std::vector<Planned> all;
  for (auto* part : {&early_, &middle_, &behind_})
    std::move(part->begin(), part->end(), std::back_inserter(all));
  return all;
}

}  // namespace pgalter::plan
