#include <fmt/format.h>

#include <map>

#include "planner/plan/recipes/constraint.h"
#include "planner/plan/recipes/foreign_key.h"
#include "planner/plan/steps.h"
#include "planner/sql/column_text.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;
using ast::ConstraintKind;
using locks::Reason;
using sql::QuoteIdentifier;
using sql::QuoteLiteral;

// "integer" for "serial".
std::string NumberType(const std::string& serial) {
  static const std::map<std::string, std::string> types = {
      {"smallserial", "smallint"}, {"serial2", "smallint"}, {"serial", "integer"},
      {"serial4", "integer"},      {"bigserial", "bigint"}, {"serial8", "bigint"}};
  const auto found = types.find(serial);
  return found == types.end() ? serial : found->second;
}

// A sequence that is owned by a column has the table's owner, whoever adds the column.
std::string GiveToOwner(const std::string& sequence, const sql::QualifiedName& table) {
  return fmt::format(
      "DO $pgalter$ BEGIN EXECUTE pg_catalog.format('ALTER SEQUENCE %s OWNER TO %I', {}, (SELECT "
      "pg_catalog.pg_get_userbyid(relowner) FROM pg_catalog.pg_class WHERE oid = "
      "{}::pg_catalog.regclass)); END $pgalter$",
      QuoteLiteral(sequence), QuoteLiteral(sql::ToString(table)));
}

// One column, whose definition is taken apart: what costs nothing stays with it, the rest follows.
class Column {
 public:
  Column(const Situation& situation, const ast::ColumnDefinition& column,
         const sql::ColumnText& text)
      : situation_(situation),
        column_(column),
        text_(text),
        after_(situation.After()),
        quoted_(QuoteIdentifier(column.name)) {}

  std::optional<Proposal> Propose();

 private:
  [[nodiscard]] const std::string& Piece(const ast::Constraint& constraint) const {
    return text_.constraints[static_cast<std::size_t>(&constraint - column_.constraints.data())];
  }
  [[nodiscard]] bool StaysInline(const ast::Constraint& constraint) const;
  [[nodiscard]] std::string Alter(const std::string& change) const {
    return fmt::format("{} ALTER COLUMN {} {}", situation_.head, quoted_, change);
  }
  // The sequence that the plain statement would make.
  [[nodiscard]] std::string SequenceName() const;
  [[nodiscard]] std::string IdentityOptions(const std::string& piece) const;
  void Fill(const std::string& value, const std::string& explain);
  void AddPlainly();
  void AddSerial();
  void AddIdentity();
  void EndIdentity();
  void AddConstraints();

  const Situation& situation_;
  const ast::ColumnDefinition& column_;
  const sql::ColumnText& text_;
  catalog::Schema after_;
  std::string quoted_;
  std::string sequence_;  // that counts until there is an identity
  Proposal proposal_;
};

bool Column::StaysInline(const ast::Constraint& constraint) const {
  const bool late = situation_.FindWork(Reason::kVolatileDefault) != nullptr ||
                    ast::IsSerial(column_.type) ||
                    column_.Find(ConstraintKind::kIdentity) != nullptr;
  switch (constraint.kind) {
    case ConstraintKind::kDefault:
      return situation_.FindWork(Reason::kVolatileDefault) == nullptr;
    case ConstraintKind::kNotNull:
    case ConstraintKind::kNull:
      return !late;
    case ConstraintKind::kForeignKey:
      return situation_.FindWork(Reason::kForeignKey) == nullptr && !late;
    case ConstraintKind::kGeneratedVirtual:
      return true;
    default:
      return false;
  }
}

std::string Column::SequenceName() const {
  for (const catalog::Table* sequence : after_.OwnedSequences(situation_.TableName()))
    if (sequence->owned_by_column == column_.name) return sequence->name.name;
  return fmt::format("{}_{}_seq", situation_.TableName().name, column_.name);
}

std::string Column::IdentityOptions(const std::string& piece) const {
  const auto words = sql::Words::Read(piece);
  if (!words) return "";
  const std::size_t open = words->Find("(");
  if (open >= words->size()) return "";
  std::string options = words->Cut(open + 1, words->size() - 1);
  // A name is for the sequence that stays.
  if (const auto inner = sql::Words::Read(options)) {
    const std::size_t name = inner->Find("name");
    if (name < inner->size() && name > 0 && inner->Is(name - 1, "sequence"))
      options = inner->Replace(name - 1, inner->AfterName(name + 1), "");
  }
  return options;
}

void Column::Fill(const std::string& value, const std::string& explain) {
  proposal_.steps.push_back(MakeBackfill(situation_.TableName(),
                                         fmt::format("{} = {}", quoted_, value),
                                         quoted_ + " IS NULL", explain));
  proposal_.steps.back().backfill->triggers = Backfill::Triggers::kNone;
}

void Column::AddPlainly() {
  std::string add = fmt::format("{} ADD COLUMN {}", situation_.head, text_.definition);
  Texts sql;
  for (const ast::Constraint& constraint : column_.constraints)
    if (StaysInline(constraint)) add += " " + Piece(constraint);
  sql.push_back(std::move(add));
  const auto* value = column_.Find(ConstraintKind::kDefault);
  const bool fill = value != nullptr && !StaysInline(*value);
  if (fill) sql.push_back(Alter(fmt::format("SET DEFAULT {}", value->expression->text)));
  proposal_.steps.push_back(
      Ddl(Phase::kExpand, std::move(sql),
          {fmt::format("{} DROP COLUMN IF EXISTS {}", situation_.head, quoted_)},
          fill ? "New rows get the default, those that are there nothing yet."
               : "No row is written or read."));
  if (fill) Fill(value->expression->text, "Rows that were there before get their value in chunks.");
}

void Column::AddSerial() {
  const std::string type = NumberType(column_.type.name);
  const std::string name = sql::ToString(Beside(situation_.TableName(), SequenceName()));
  const std::string next = fmt::format("nextval({}::regclass)", QuoteLiteral(name));
  const auto words = sql::Words::Read(text_.definition);
  const std::string definition = words ? words->Replace(1, 2, type) : text_.definition;
  proposal_.steps.push_back(
      Ddl(Phase::kExpand,
          {fmt::format("{} ADD COLUMN {}", situation_.head, definition),
           fmt::format("CREATE SEQUENCE {} AS {}", name, type),
           GiveToOwner(name, situation_.TableName()),
           fmt::format("ALTER SEQUENCE {} OWNED BY {}.{}", name,
                       sql::ToString(situation_.TableName()), quoted_),
           Alter("SET DEFAULT " + next)},
          {fmt::format("{} DROP COLUMN IF EXISTS {}", situation_.head, quoted_)},
          "New rows are numbered, those that are there not yet."));
  Fill(next, "Rows that were there before are numbered in chunks, in no certain order.");
}

void Column::AddIdentity() {
  const auto& identity = *column_.Find(ConstraintKind::kIdentity);
  sequence_ = sql::ToString(
      Beside(situation_.TableName(), MadeName("seq", situation_.TableName(), column_.name)));
  const std::string next = fmt::format("nextval({}::regclass)", QuoteLiteral(sequence_));
  const auto words = sql::Words::Read(text_.definition);
  const std::string type = words ? words->Cut(1, words->size()) : "bigint";
  proposal_.steps.push_back(
      Ddl(Phase::kExpand,
          {fmt::format("{} ADD COLUMN {}", situation_.head, text_.definition),
           fmt::format("CREATE SEQUENCE {} AS {} {}", sequence_, type,
                       IdentityOptions(Piece(identity))),
           GiveToOwner(sequence_, situation_.TableName()),
           // A default asks who inserts for it, an identity nobody.
           fmt::format("GRANT USAGE ON SEQUENCE {} TO PUBLIC", sequence_),
           Alter("SET DEFAULT " + next)},
          {fmt::format("{} DROP COLUMN IF EXISTS {}", situation_.head, quoted_),
           fmt::format("DROP SEQUENCE IF EXISTS {}", sequence_)},
          "A sequence of our own numbers new rows until the column is an identity."));
  Fill(next, "Rows that were there before are numbered in chunks, in no certain order.");
}

void Column::EndIdentity() {
  const auto& identity = *column_.Find(ConstraintKind::kIdentity);
  const std::string table = sql::ToString(situation_.TableName());
  proposal_.steps.push_back(Ddl(
      Phase::kMigrate,
      {Alter("DROP DEFAULT"), Alter("ADD " + DefinitionOf(Piece(identity))),
       fmt::format("SELECT setval(pg_get_serial_sequence({}, {}), nextval({}::regclass), false)",
                   QuoteLiteral(table), QuoteLiteral(column_.name), QuoteLiteral(sequence_)),
       fmt::format("DROP SEQUENCE {}", sequence_)},
      {Alter("DROP IDENTITY"), Alter("DROP NOT NULL")},
      "The identity goes on where our sequence has come to."));
}

void Column::AddConstraints() {
  const sql::QualifiedName& table = situation_.TableName();
  const bool not_null = ast::IsSerial(column_.type) || !sequence_.empty() ||
                        column_.Find(ConstraintKind::kNotNull) != nullptr ||
                        column_.Find(ConstraintKind::kPrimaryKey) != nullptr;
  const auto* written = column_.Find(ConstraintKind::kNotNull);
  if (not_null && (written == nullptr || !StaysInline(*written)))
    ForbidNull(situation_, table, situation_.head, {column_.name}, proposal_.steps);
  if (!sequence_.empty()) EndIdentity();
  const auto added = NewConstraints(situation_.schema, after_, table);
  std::size_t next = 0;
  for (const ast::Constraint& constraint : column_.constraints) {
    const bool named = constraint.kind == ConstraintKind::kCheck ||
                       constraint.kind == ConstraintKind::kUnique ||
                       constraint.kind == ConstraintKind::kPrimaryKey ||
                       constraint.kind == ConstraintKind::kForeignKey;
    if (!named) continue;
    // The new ones stand in the order in which they were written.
    while (next < added.size() && added[next]->definition.kind != constraint.kind) ++next;
    if (next >= added.size()) return;
    const catalog::Constraint& made = *added[next++];
    if (StaysInline(constraint)) continue;
    const std::string definition = DefinitionOf(Piece(constraint));
    if (constraint.kind == ConstraintKind::kCheck) {
      AddInTwoSteps(table, situation_.head, made.name, definition,
                    "Rows that are written from here on are checked; nothing is read yet.",
                    proposal_.steps);
    } else if (constraint.kind == ConstraintKind::kForeignKey) {
      AddForeignKey(situation_, made.name, fmt::format("FOREIGN KEY ({}) {}", quoted_, definition),
                    constraint.foreign_key->target, proposal_);
    } else {
      AddKey({table, made.name, constraint.kind, &made.definition}, situation_.schema, after_,
             proposal_.steps);
    }
  }
}

std::optional<Proposal> Column::Propose() {
  if (ast::IsSerial(column_.type)) {
    AddSerial();
  } else if (column_.Find(ConstraintKind::kIdentity) != nullptr) {
    AddIdentity();
  } else {
    AddPlainly();
  }
  AddConstraints();
  return std::move(proposal_);
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* command = situation.Command(ast::TableChange::kAddColumn);
  if (command == nullptr || !command->column || situation.effects.works.empty())
    return std::nullopt;
  if (situation.schema.IsNew(situation.TableName())) return std::nullopt;
  // No steps lead there: a rebuild.
  if (situation.FindWork(Reason::kGeneratedColumn) != nullptr ||
      situation.FindWork(Reason::kConstrainedDomain) != nullptr)
    return std::nullopt;
  const auto text = sql::CutAddColumn(situation.command_text);
  if (!text || text->constraints.size() != command->column->constraints.size()) return std::nullopt;
  return Column(situation, *command->column, *text).Propose();
}

}  // namespace

const Recipe kAddColumn{
    .name = "add-column",
    .forms =
        "ADD COLUMN with a volatile default, serial, an identity, CHECK, UNIQUE, PRIMARY KEY, "
        "or REFERENCES beside a default",
    .steps =
        "the column without what costs, its default for new rows, a backfill, NOT NULL as in "
        "set-not-null, then each constraint as its own recipe has it",
    .propose = &Propose};

}  // namespace pgalter::plan
