#pragma once

// Recipe: how one risky form of statement is carried out in steps. One file a recipe under
// recipes/, one line in recipes.def; the order there is the order in which they are asked.
//
// A recipe looks at values and proposes; it keeps nothing. It answers nothing where the statement
// is harmless as it stands. What its steps lock, rewrite and read is not said by it but worked out
// from them (annotate.h).

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planner/catalog/schema.h"
#include "planner/locks/effects.h"
#include "planner/plan/plan.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::plan {

// Of two ways to write every row anew: a new column beside the old one, or the table beside itself.
enum class Preference { kInPlace, kRebuild };

// Materialized views over a table that a copy takes the place of: in the way, or made anew over the
// copy.
enum class Matviews { kInTheWay, kMadeAnew };

// What the database says of a trigger besides what its statement has: whether an UPDATE of a row
// fires it.
struct TriggerState {
  bool usually = true;       // whoever writes
  bool replicating = false;  // under session_replication_role = replica
};

// Users' triggers, where a backfill stands for a statement that fires none.
struct Firing {
  bool accepted = false;                 // somebody has said that they may fire
  std::optional<bool> may_silence = {};  // the role may set session_replication_role; not asked
  // By table and name, as SQL; of triggers that the script makes itself there is none.
  std::map<std::pair<std::string, std::string>, TriggerState> states = {};
};

// One statement, with at most one action if it is an ALTER TABLE.
struct Situation {
  const sql::ast::Statement& statement;
  std::string text;
  const catalog::Schema& schema;  // before it
  const locks::Effects& effects;
  int version = 15;
  // Of an ALTER TABLE: "ALTER TABLE ONLY app.orders" and "ADD COLUMN c int", as written.
  std::string head;
  std::string command_text;
  Preference prefer = Preference::kInPlace;
  Matviews matviews = Matviews::kInTheWay;
  const Firing* firing = nullptr;

  // The one action; nullptr: no ALTER TABLE, or one with several.
  [[nodiscard]] const sql::ast::TableCommand* Command(sql::ast::TableChange change) const;
  // Its table as written, and what is known of it.
  [[nodiscard]] const sql::QualifiedName& TableName() const;
  [[nodiscard]] const catalog::Table* Table() const { return schema.FindTable(TableName()); }
  [[nodiscard]] bool IsPartitioned() const;
  // The same table once the statement has been carried out, as the server would name what is new.
  [[nodiscard]] catalog::Schema After() const;

  [[nodiscard]] const locks::Work* FindWork(locks::Reason reason) const;
  [[nodiscard]] bool Fails(locks::Refusal refusal) const;
};

struct Proposal {
  Answer answer = Answer::kRewritten;
  std::vector<Step> steps;
  std::vector<std::string> remarks;
};

struct Recipe {
  std::string_view name;   // kebab-case
  std::string_view forms;  // the statements that it is for
  std::string_view steps;  // what it makes of them, in a sentence or two
  std::optional<Proposal> (*propose)(const Situation& situation) = nullptr;
};

[[nodiscard]] std::span<const Recipe* const> AllRecipes();

// Declared where every recipe sees it: a constant that was never declared is its file's own.
#define PGALTER_RECIPE(name) extern const Recipe k##name;
#include "planner/plan/recipes.def"
#undef PGALTER_RECIPE

}  // namespace pgalter::plan
