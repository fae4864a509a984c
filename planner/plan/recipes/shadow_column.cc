#include "planner/plan/recipes/shadow_column.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "planner/plan/not_null_names.h"
#include "planner/plan/recipes/carry.h"
#include "planner/plan/recipes/column_guard.h"
#include "planner/plan/recipes/constraint.h"
#include "planner/plan/recipes/foreign_key.h"
#include "planner/plan/recipes/index.h"
#include "planner/plan/recipes/rebuild.h"
#include "planner/plan/split.h"
#include "planner/plan/steps.h"
#include "planner/sql/requalify.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using ast::ConstraintKind;
using sql::QuoteIdentifier;
using sql::ToString;

bool Contains(const std::vector<std::string>& list, const std::string& item) {
  return std::ranges::find(list, item) != list.end();
}

constexpr std::array<std::string_view, 6> kNumbers{"int2",   "int4",   "int8",
                                                   "float4", "float8", "numeric"};
constexpr std::array<std::string_view, 4> kExactNumbers{"int2", "int4", "int8", "numeric"};
constexpr std::array<std::string_view, 3> kTexts{"text", "varchar", "bpchar"};
// IS DISTINCT FROM tells every two values of these apart.
constexpr std::array<std::string_view, 6> kExact{"int2", "int4", "int8", "text", "varchar", "uuid"};

// What a role's settings have a part in, where functions are not immutable: as
// engine/guard/role_settings.cc has them, which are in force where the plan's steps run.
constexpr std::array<std::string_view, 12> kSettings{
    "search_path",   "TimeZone",           "DateStyle",
    "IntervalStyle", "extra_float_digits", "bytea_output",
    "lc_monetary",   "lc_numeric",         "lc_time",
    "xmlbinary",     "xmloption",          "default_text_search_config"};

// The schemas that search_path comes to for the role that runs the plan, not for each user.
constexpr const char* kOwnPath =
    "SELECT pg_catalog.set_config('search_path', (SELECT coalesce(pg_catalog.string_agg("
    "pg_catalog.quote_ident(s), ', ' ORDER BY n) || ', ', '') FROM "
    "pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS p (s, n)) || "
    "'pg_temp', true)";

template <std::size_t kCount>
bool IsOneOf(const std::array<std::string_view, kCount>& names, const ast::TypeName& type) {
  return type.schema.empty() && type.array_dimensions == 0 &&
         std::ranges::find(names, std::string_view(type.name)) != names.end();
}

// No setting has a part in the server's cast from one to the other.
bool IsPlainCast(const ast::TypeName& from, const ast::TypeName& to) {
  if (IsOneOf(kNumbers, from) && IsOneOf(kNumbers, to)) return true;
  return IsOneOf(kTexts, to) && (IsOneOf(kExactNumbers, from) || IsOneOf(kTexts, from));
}

const ast::TableCommand* TypeCommand(const Situation& situation) {
  const auto* alter = situation.statement.As<ast::AlterTable>();
  if (alter == nullptr) return nullptr;
  const auto found =
      std::ranges::find(alter->commands, ast::TableChange::kSetType, &ast::TableCommand::change);
  return found == alter->commands.end() ? nullptr : &*found;
}

class Replacement {
 public:
  Replacement(const Situation& situation, const ShadowColumn& shadow)
      : situation_(situation),
        shadow_(shadow),
        table_(*situation.Table()),
        name_(situation.TableName()),
        head_("ALTER TABLE " + ToString(name_)),
        old_(QuoteIdentifier(shadow.column)),
        new_name_(MadeName("new", {{}, shadow.column}, "")),
        new_(QuoteIdentifier(new_name_)),
        value_(shadow.expression.empty() ? old_ : shadow.expression),
        trigger_(TriggerName(shadow.column)),
        command_(TypeCommand(situation)),
        moved_(table_.name.name, shadow.column, new_name_) {}

  Proposal Propose();

 private:
  [[nodiscard]] std::string WhyNot() const;
  [[nodiscard]] Proposal Rebuilt(const std::string& why) const;
  // A foreign key over the new column instead of the old one.
  [[nodiscard]] ast::Constraint Moved(ast::Constraint key) const {
    key.columns = moved_.In(std::move(key.columns));
    key.foreign_key->set_columns = moved_.In(std::move(key.foreign_key->set_columns));
    return key;
  }
  [[nodiscard]] std::string Temporary(const std::string& name) const {
    return MadeName("new", {{}, name}, "");
  }
  // Behind the triggers that change the row: '~' sorts behind all other signs of ASCII.
  [[nodiscard]] static std::string TriggerName(const std::string& column) {
    std::string made = MadeName("sync", {{}, column}, "");
    constexpr std::size_t kLongest = 61;
    constexpr std::size_t kPrefix = std::string_view("pgalter_").size();
    if (made.size() > kLongest) made.erase(0, kPrefix);
    return "~~" + made;
  }
  [[nodiscard]] bool IsPlain() const;
  [[nodiscard]] bool IsRepeatable() const;
  [[nodiscard]] std::string Differs() const;
  [[nodiscard]] std::string MustBeMade() const;
  [[nodiscard]] Texts FunctionTexts() const;
  [[nodiscard]] Texts TriggerTexts() const;
  [[nodiscard]] Step FillingStep(std::string explain) const;
  void KeepUp();
  void Fill();
  void CompareAgain();
  void GuardFirstStep();
  void NoteNotNull();
  void NoteSequences();
  void MakeIndexes();
  void MakeChecks();
  void MakeForeignKeys();
  void MakeReferences();
  void Swap();
  void RenameConstraint(const std::string& from, const std::string& to) {
    finish_.push_back(fmt::format("{} RENAME CONSTRAINT {} TO {}", head_, QuoteIdentifier(from),
                                  QuoteIdentifier(to)));
  }

  const Situation& situation_;
  const ShadowColumn& shadow_;
  const catalog::Table& table_;
  const sql::QualifiedName& name_;
  std::string head_;
  std::string old_;
  std::string new_name_;
  std::string new_;
  std::string value_;                 // of the new column, as SQL
  std::string trigger_;               // that keeps it up
  const ast::TableCommand* command_;  // that changes the type
  ColumnNames moved_;                 // to the new column
  Hangers hangers_;                   // of the old one, which come along
  std::string refuse_views_;          // that cannot be made again; empty: there are none
  std::string new_value_;             // over the row that a trigger has
  std::string function_;              // of the trigger, as SQL
  std::string problem_;
  std::vector<std::string> locked_;  // other tables of the swap, as SQL
  bool has_foreign_keys_ = false;    // the new column, or others refer to it
  Texts prepare_;                    // of the swap, before the old column goes
  Texts finish_;                     // after the new one has its name
  Proposal proposal_;
};

std::string Replacement::WhyNot() const {
  if (table_.kind == catalog::TableKind::kPartitioned || table_.parent)
    return "it is partitioned, or a partition";
  if (!table_.inherits.empty() || !situation_.schema.Children(table_.name).empty())
    return "other tables inherit from it, or it from them";
  if (!table_.of_type.empty()) return "it is a table of a type";
  if (table_.kind != catalog::TableKind::kTable) return "it is no table";
  return problem_;
}

// No setting of whoever writes the row has a part in the value.
bool Replacement::IsPlain() const {
  const catalog::Column* column = table_.FindColumn(shadow_.column);
  if (column == nullptr || !column->known || command_ == nullptr || !command_->type) return false;
  if (!IsPlainCast(column->type, *command_->type)) return false;
  if (!command_->expression) return true;
  // "c::bigint" and nothing else.
  const std::string cast = old_ + "::";
  constexpr std::string_view kOfTypes = "abcdefghijklmnopqrstuvwxyz0123456789_ (),";
  return value_.starts_with(cast) &&
         value_.find_first_not_of(kOfTypes, cast.size()) == std::string::npos &&
         command_->expression->column_casts.size() == 1 &&
         IsPlainCast(column->type, command_->expression->column_casts.front().type);
}

// Made twice it is the same: rows can be compared with it.
bool Replacement::IsRepeatable() const {
  if (command_ == nullptr || !command_->expression) return true;
  const ast::Expression& value = *command_->expression;
  return locks::JudgeVolatility(value, situation_.schema).is_volatile == catalog::Truth::kNo &&
         !locks::WhyNotImmutable(value, table_.columns, situation_.schema);
}

std::string Replacement::Differs() const {
  const std::string value = fmt::format("({})::{}", value_, shadow_.type);
  if (command_ != nullptr && command_->type && IsOneOf(kExact, *command_->type))
    return fmt::format("{} IS DISTINCT FROM {}", new_, value);
  return fmt::format(
      "ROW({})::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW({})::pg_catalog.record", new_,
      value);
}

// Only then: who changes another column is not to have the value made under other conditions.
std::string Replacement::MustBeMade() const {
  std::vector<std::string> columns{new_name_};
  if (command_ == nullptr || !command_->expression) {
    columns.push_back(shadow_.column);
  } else {
    if (command_->expression->facts.has_subquery) return "true";
    for (const auto& use : command_->expression->facts.columns) {
      if (use.whole_row) return "true";
      columns.push_back(use.name);
    }
  }
  std::vector<std::string> before;
  std::vector<std::string> after;
  for (const std::string& column : columns) {
    before.push_back("old." + QuoteIdentifier(column));
    after.push_back("new." + QuoteIdentifier(column));
  }
  return fmt::format(
      "tg_op OPERATOR(pg_catalog.=) 'INSERT' OR new.{} IS NULL OR ROW({})::pg_catalog.record "
      "OPERATOR(pg_catalog.*<>) ROW({})::pg_catalog.record",
      new_, fmt::join(before, ", "), fmt::join(after, ", "));
}

Texts Replacement::FunctionTexts() const {
  // As the plain statement does it: who writes need have no right to the functions of the value.
  std::string settings = IsPlain() ? "" : " SECURITY DEFINER";
  if (!IsPlain())
    for (const std::string_view name : kSettings)
      settings += fmt::format(" SET {} FROM CURRENT", name);
  Texts sql;
  if (!settings.empty()) sql.emplace_back(kOwnPath);
  sql.push_back(fmt::format(
      "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql{} AS $pgalter$ BEGIN IF {} THEN "
      "new.{} := {}; END IF; RETURN new; END $pgalter$",
      function_, settings, MustBeMade(), new_, new_value_));
  // Nobody else lets it make values of a table of his own, with the rights of the role.
  if (!IsPlain()) sql.push_back(fmt::format("REVOKE ALL ON FUNCTION {}() FROM PUBLIC", function_));
  return sql;
}

Texts Replacement::TriggerTexts() const {
  const std::string trigger = QuoteIdentifier(trigger_);
  Texts sql = FunctionTexts();
  sql.push_back(fmt::format(
      "CREATE TRIGGER {} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {}()", trigger,
      ToString(name_), function_));
  sql.push_back(fmt::format("{} ENABLE ALWAYS TRIGGER {}", head_, trigger));
  return sql;
}

void Replacement::KeepUp() {
  function_ = ToString(Beside(name_, MadeName("sync", name_, shadow_.column)));
  const auto value = sql::RequalifyColumns(value_, table_.name.name, "new");
  if (!value) {
    problem_ = "its USING expression cannot stand in a trigger";
    return;
  }
  new_value_ = *value;
  if (command_ != nullptr && command_->expression)
    for (const auto& use : command_->expression->facts.columns)
      if (const auto* read = table_.FindColumn(use.name); read != nullptr && read->generated)
        problem_ = fmt::format("its USING expression reads {}, which has no value yet in a trigger",
                               QuoteIdentifier(use.name));
  Texts sql{fmt::format("{} ADD COLUMN {} {}", head_, new_, shadow_.type)};

  const Texts trigger = TriggerTexts();
  sql.insert(sql.end(), trigger.begin(), trigger.end());
  sql.push_back(RefuseTriggersBehind(name_, trigger_, Asked::kBefore));
  const std::string name = QuoteIdentifier(trigger_);
  proposal_.steps.push_back(
      Ddl(Phase::kExpand, std::move(sql),
          {fmt::format("DROP TRIGGER IF EXISTS {} ON {}", name, ToString(name_)),
           fmt::format("DROP FUNCTION IF EXISTS {}()", function_),
           fmt::format("{} DROP COLUMN IF EXISTS {}", head_, new_)},
          "Rows that are written from here on have both values."));
  prepare_.push_back(fmt::format("DROP TRIGGER {} ON {}", name, ToString(name_)));
  prepare_.push_back(fmt::format("DROP FUNCTION {}()", function_));
}

Step Replacement::FillingStep(std::string explain) const {
  const std::string set = fmt::format("{} = {}", new_, value_);
  // A value that is another one each time tells no row that is done.
  Step step = MakeBackfill(
      name_, set,
      IsRepeatable() ? Differs() : fmt::format("{} IS NULL AND ({}) IS NOT NULL", new_, value_),
      std::move(explain));
  // Every row that differs, as its own type tells.
  if (IsRepeatable()) step.backfill->where.clear();
  step.backfill->triggers = Backfill::Triggers::kNone;
  return step;
}

void Replacement::Fill() {
  proposal_.steps.push_back(
      FillingStep("Rows that were there before get the new value in chunks."));
}

// A gate may be shut for days, in which users switch triggers off and on. A trigger that is anew
// has seen all that is written from then on; what is from before is compared.
void Replacement::CompareAgain() {
  if (!IsRepeatable()) return;  // the swap is refused where the trigger was touched
  Texts sql{
      RefuseTriggersBehind(name_, trigger_, Asked::kMeanwhile),
      fmt::format("DROP TRIGGER IF EXISTS {} ON {}", QuoteIdentifier(trigger_), ToString(name_)),
      fmt::format("DROP FUNCTION IF EXISTS {}()", function_)};
  const Texts trigger = TriggerTexts();
  sql.insert(sql.end(), trigger.begin(), trigger.end());
  proposal_.steps.push_back(
      Ddl(Phase::kContract, std::move(sql), {},
          "The trigger is made anew: from here on it has seen every change, whoever had switched "
          "it off before."));
  Step compare = FillingStep(
      "All rows are compared once more, in chunks; one that was changed past the trigger gets its "
      "value.");
  compare.phase = Phase::kContract;
  // What keeps users' triggers from firing keeps those of foreign keys from it, which are proven
  // by now. Hardly any row differs.
  if (has_foreign_keys_) compare.backfill->triggers = Backfill::Triggers::kFire;
  proposal_.steps.push_back(std::move(compare));
}

void Replacement::NoteSequences() {
  const catalog::Column* column = table_.FindColumn(shadow_.column);
  hangers_.identity = column != nullptr && column->identity;
  if (hangers_.identity || column == nullptr) return;
  for (const catalog::Table* sequence : situation_.schema.OwnedSequences(table_.name))
    if (sequence->owned_by_column == shadow_.column)
      hangers_.sequences.push_back(ToString(sequence->name));
}

void Replacement::NoteNotNull() {
  const catalog::Column* column = table_.FindColumn(shadow_.column);
  hangers_.not_null = column != nullptr && column->not_null;
  for (const catalog::Constraint& one : table_.constraints)
    if (one.definition.kind == ConstraintKind::kNotNull &&
        Contains(one.definition.columns, shadow_.column))
      hangers_.not_null = true;
}

void Replacement::GuardFirstStep() {
  Texts& sql = proposal_.steps.front().sql;
  if (!refuse_views_.empty()) sql.insert(sql.begin(), refuse_views_);
  sql.insert(sql.begin(), {RefuseRowTypeInUse(name_),
                           RefuseOtherHangers(name_, shadow_.column, hangers_, Asked::kBefore)});
}

void Replacement::MakeIndexes() {
  for (const catalog::Index& index : table_.indexes) {
    if (!index.Mentions(shadow_.column) && !Contains(index.included, shadow_.column)) continue;
    const std::string name = Temporary(index.name.name);
    hangers_.indexes.push_back(ToString(Beside(name_, index.name.name)));
    const catalog::Constraint* key = table_.FindConstraint(index.name.name);
    if (key == nullptr || !index.constraint) {
      const auto like = LikeIndex(index, {name_, name}, moved_);
      if (!like) problem_ = fmt::format("index {} cannot be moved", index.name.name);
      proposal_.steps.push_back(BuildIndex(like.value_or(""), Beside(name_, name),
                                           "The like of " + index.name.name + "."));
      finish_.push_back(fmt::format("ALTER INDEX {} RENAME TO {}", ToString(Beside(name_, name)),
                                    QuoteIdentifier(index.name.name)));
      continue;
    }
    if (key->definition.kind == ConstraintKind::kExclude) {
      problem_ = fmt::format("its exclusion constraint {} has no online form", key->name);
      return;
    }
    hangers_.constraints.emplace_back(ToString(name_), key->name);
    ast::Constraint moved = key->definition;
    moved.columns = moved_.In(std::move(moved.columns));
    moved.included = moved_.In(std::move(moved.included));
    moved.index_options = index.options;
    moved.index_tablespace = index.tablespace;
    const Key made{name_, key->name, moved.kind, &moved};
    proposal_.steps.push_back(BuildIndex(UniqueIndexText(made, name), Beside(name_, name),
                                         "The like of the index of " + key->name + "."));
    finish_.push_back(fmt::format("{} ADD CONSTRAINT {} {}", head_, QuoteIdentifier(key->name),
                                  UsingIndexText(made, name)));
  }
}

void Replacement::MakeChecks() {
  const catalog::Column* column = table_.FindColumn(shadow_.column);
  if (column != nullptr && column->not_null) {
    const std::string name = MadeName("nn", {{}, shadow_.column}, "");
    AddInTwoSteps(name_, head_, name, fmt::format("CHECK ({} IS NOT NULL)", new_),
                  "The new column has a value where the old one has to.", proposal_.steps);
    prepare_.push_back(fmt::format("{} ALTER COLUMN {} SET NOT NULL", head_, new_));
    prepare_.push_back(fmt::format("{} DROP CONSTRAINT {}", head_, QuoteIdentifier(name)));
  }
  for (const catalog::Constraint& check : table_.constraints) {
    if (check.definition.kind == ConstraintKind::kNotNull && !check.valid &&
        Contains(check.definition.columns, shadow_.column))
      prepare_.push_back(fmt::format("{} ADD CONSTRAINT {} NOT NULL {} NOT VALID", head_,
                                     QuoteIdentifier(Temporary(check.name)), new_));
    if (check.definition.kind != ConstraintKind::kCheck || !check.definition.expression) continue;
    const auto& uses = check.definition.expression->facts.columns;
    if (std::ranges::none_of(uses, [&](const auto& use) { return use.name == shadow_.column; }))
      continue;
    const auto moved = moved_.In(check.definition.expression->text);
    if (!moved) {
      problem_ = fmt::format("constraint {} cannot be moved", check.name);
      return;
    }
    const std::string name = Temporary(check.name);
    hangers_.constraints.emplace_back(ToString(name_), check.name);
    AddInTwoSteps(
        name_, head_, name,
        fmt::format("CHECK ({}){}", *moved, check.definition.no_inherit ? " NO INHERIT" : ""),
        "The like of " + check.name + ".", proposal_.steps);
    if (!check.valid) proposal_.steps.pop_back();
    // The old one need not go with its column: others may be in it.
    prepare_.push_back(fmt::format("{} DROP CONSTRAINT {}", head_, QuoteIdentifier(check.name)));
    RenameConstraint(name, check.name);
  }
}

void Replacement::MakeForeignKeys() {
  for (const catalog::Constraint& key : table_.constraints) {
    if (!key.definition.foreign_key || !Contains(key.definition.columns, shadow_.column)) continue;
    const std::string name = Temporary(key.name);
    const auto& target = key.definition.foreign_key->target;
    if (situation_.schema.Resolve(target) == table_.name) {
      problem_ = fmt::format("its foreign key {} points at itself", key.name);
      return;
    }
    hangers_.constraints.emplace_back(ToString(name_), key.name);
    has_foreign_keys_ = true;
    AddInTwoSteps(name_, head_, name, ForeignKeyText(Moved(key.definition)),
                  "The like of " + key.name + ".", proposal_.steps);
    if (!key.valid) proposal_.steps.pop_back();
    locked_.push_back(ToString(target));
    prepare_.push_back(fmt::format("{} DROP CONSTRAINT {}", head_, QuoteIdentifier(key.name)));
    RenameConstraint(name, key.name);
  }
}

void Replacement::MakeReferences() {
  for (const auto& [other, key] : situation_.schema.References(table_.name)) {
    std::vector<std::string> columns = key->definition.foreign_key->target_columns;
    if (columns.empty() && table_.PrimaryKey() != nullptr)
      columns = table_.PrimaryKey()->definition.columns;
    if (!Contains(columns, shadow_.column)) continue;
    if (other->kind != catalog::TableKind::kTable || other->name == table_.name) {
      problem_ = fmt::format("foreign key {} of {} points at it", key->name, Show(other->name));
      return;
    }
    const std::string head = "ALTER TABLE " + ToString(other->name);
    const std::string name = Temporary(key->name);
    hangers_.constraints.emplace_back(ToString(other->name), key->name);
    has_foreign_keys_ = true;
    ast::Constraint moved = key->definition;
    moved.foreign_key->target = name_;
    moved.foreign_key->target_columns = moved_.In(std::move(columns));
    AddInTwoSteps(other->name, head, name, ForeignKeyText(moved),
                  fmt::format("The like of {}, for the new column.", key->name), proposal_.steps);
    if (!key->valid) proposal_.steps.pop_back();
    locked_.push_back(ToString(other->name));
    prepare_.push_back(fmt::format("{} DROP CONSTRAINT {}", head, QuoteIdentifier(key->name)));
    finish_.push_back(fmt::format("{} RENAME CONSTRAINT {} TO {}", head, QuoteIdentifier(name),
                                  QuoteIdentifier(key->name)));
  }
}

void Replacement::Swap() {
  std::ranges::sort(locked_);
  locked_.erase(std::unique(locked_.begin(), locked_.end()), locked_.end());
  std::string lock = "LOCK TABLE " + ToString(name_);
  for (const std::string& other : locked_) lock += ", " + other;
  const Carried carried = CarryOver(name_, shadow_.column);
  const InTheWay in_the_way = FindInTheWay(situation_).value_or(InTheWay());
  hangers_.readers = in_the_way.readers;
  for (const sql::QualifiedName& view : in_the_way.views) hangers_.views.push_back(ToString(view));
  NoteNotNull();
  NoteSequences();
  Texts sql = {lock + " IN ACCESS EXCLUSIVE MODE", RefuseTouched(name_, trigger_),
               RefuseTriggersBehind(name_, trigger_, Asked::kMeanwhile), RefuseRowTypeInUse(name_),
               RefuseOtherHangers(name_, shadow_.column, hangers_, Asked::kMeanwhile)};
  if (shadow_.default_value)
    sql.push_back(fmt::format("{} ALTER COLUMN {} DROP DEFAULT", head_, old_));
  sql.push_back(carried.note);
  const Carried identity = CarryIdentity(name_, shadow_.column);
  if (hangers_.identity) sql.push_back(identity.note);
  const Carried carried_views = CarryViews(in_the_way.views);
  const CarriedAway readers = CarryReaders(name_, shadow_.column);
  if (in_the_way.readers) {
    sql.push_back(readers.note);
    sql.push_back(readers.drop);
  }
  if (!in_the_way.views.empty()) {
    refuse_views_ = RefuseViewsInUse(in_the_way.views);
    sql.push_back(refuse_views_);
    sql.push_back(carried_views.note);
    sql.push_back(DropViews(in_the_way.views));
  }
  for (const std::string& sequence : hangers_.sequences)
    sql.push_back(fmt::format("ALTER SEQUENCE {} OWNED BY NONE", sequence));
  sql.insert(sql.end(), prepare_.begin(), prepare_.end());
  sql.push_back(fmt::format("{} DROP COLUMN {}", head_, old_));
  sql.push_back(fmt::format("{} RENAME COLUMN {} TO {}", head_, new_, old_));
  sql.insert(sql.end(), finish_.begin(), finish_.end());
  constexpr int kNamesNotNull = 18;
  if (situation_.version >= kNamesNotNull) sql.push_back(NameNotNulls(name_));
  sql.push_back(carried.apply);
  if (hangers_.identity) sql.push_back(identity.apply);
  if (!in_the_way.views.empty()) sql.push_back(carried_views.apply);
  if (in_the_way.readers) sql.push_back(readers.apply);
  if (shadow_.default_value && !shadow_.default_value->empty())
    sql.push_back(
        fmt::format("{} ALTER COLUMN {} SET DEFAULT {}", head_, old_, *shadow_.default_value));
  proposal_.steps.push_back(MakeGate(
      fmt::format("swap-{}", shadow_.column),
      fmt::format("programs take {} for {}.{}", shadow_.type, Show(name_), shadow_.column)));
  CompareAgain();
  Step swap =
      Ddl(Phase::kContract, std::move(sql), {},
          "The old column goes, the new one has its name and all that hung on it; no row is "
          "read or written. Sessions with a snapshot from before are waited for: to them the new "
          "column would be empty.");
  swap.point_of_no_return = true;
  proposal_.steps.push_back(std::move(swap));
}

// Another table, where no other column does it.
Proposal Replacement::Rebuilt(const std::string& why) const {
  Proposal proposal = CopyTable(situation_, shadow_);
  proposal.remarks.push_back(fmt::format(
      "{}: {}, so no second column can take its place, and the table is copied", Show(name_), why));
  return proposal;
}

Proposal Replacement::Propose() {
  KeepUp();
  Fill();
  MakeIndexes();
  MakeChecks();
  MakeForeignKeys();
  MakeReferences();
  Swap();
  if (problem_.empty()) GuardFirstStep();
  const std::string why = WhyNot();
  if (why.empty()) {
    proposal_.remarks.emplace_back("the column moves to the end of the table");
    if (hangers_.identity)
      proposal_.remarks.push_back(fmt::format(
          "{} is an identity: its sequence goes with the old column, and a new one of its name "
          "goes on. Who asks the sequence itself for a number (nextval) in the moment of the swap "
          "gets an error, and asks again",
          old_));
    return std::move(proposal_);
  }
  if (WhyNotRebuilt(situation_, table_.name).empty()) return Rebuilt(why);
  Proposal least;
  least.answer = Answer::kLeastBad;
  least.remarks.push_back(
      fmt::format("{}: {}, so no second column can take its place", Show(name_), why));
  Step step = Ddl(Phase::kMigrate, {situation_.text}, {},
                  "The whole table is written anew, or read, under the lock.");
  step.point_of_no_return = true;
  least.steps.push_back(std::move(step));
  return least;
}

}  // namespace

Proposal CopyTable(const Situation& situation, const ShadowColumn& shadow) {
  const sql::QualifiedName name = situation.schema.Resolve(situation.TableName());
  Texts actions;
  for (const Action& action : SplitAlterTable(situation.statement, situation.text))
    actions.push_back(action.command);
  Proposal proposal;
  proposal.steps.push_back(
      MakeGate(fmt::format("swap-{}", shadow.column),
               fmt::format("programs take {} for {}.{}", shadow.type, Show(name), shadow.column)));
  Step rebuild = MakeRebuild(situation, name, fmt::format("{}", fmt::join(actions, ", ")));
  rebuild.phase = Phase::kContract;
  proposal.steps.push_back(std::move(rebuild));
  return proposal;
}

Proposal ReplaceColumn(const Situation& situation, const ShadowColumn& shadow) {
  return Replacement(situation, shadow).Propose();
}

}  // namespace pgalter::plan
