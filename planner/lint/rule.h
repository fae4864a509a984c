#pragma once

// Rule: what may be wrong with a statement, where it stands. One file a rule under rules/, one line
// in rules.def, one page in docs/rules/, one folder in tests/lint/ with bad.sql and good.sql.
//
// A rule looks at values and reports; it keeps nothing between statements. What has happened before
// is in the schema, the transaction and the session.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "planner/catalog/schema.h"
#include "planner/lint/finding.h"
#include "planner/lint/options.h"
#include "planner/lint/session.h"
#include "planner/lint/timeline.h"
#include "planner/lint/transaction.h"
#include "planner/locks/effects.h"

namespace pgalter::lint {

// A statement that was read, and where.
struct ScriptStatement {
  sql::ast::Statement statement;
  std::string_view text;
  sql::Span span;        // of the file
  bool in_loop = false;  // of the body that it stands in
};

struct Context {
  const sql::ast::Statement& statement;
  std::string_view text;          // of the statement
  sql::Span span;                 // of the file; edits are made in the same measure
  const catalog::Schema& schema;  // before the statement
  const locks::Effects& effects;
  const Transaction& transaction;
  const SessionSettings& session;
  const Options& options;
  // The statements of the same script or block that stand before and after this one.
  std::span<const ScriptStatement> before;
  std::span<const ScriptStatement> after;
  const Timeline& timeline;
  Moment now;
  bool embedded = false;    // inside DO, EXECUTE or a routine that is called: edits cannot reach it
  bool in_loop = false;     // of such a body
  bool may_commit = false;  // such a body: nobody has begun a transaction around it
  bool last_of_file = false;

  // There before the run: it may have rows, and others may use it. Unknown tables count.
  [[nodiscard]] bool Existing(const catalog::QualifiedName& table) const {
    return !schema.IsNew(table);
  }
  // Known to be so small that nobody notices.
  [[nodiscard]] bool Small(const catalog::QualifiedName& table) const;
  // As the user knows it: "orders", "app.orders".
  [[nodiscard]] static std::string Show(const catalog::QualifiedName& name);
};

// What a rule has to say. What is left empty is filled in from the rule and the statement.
struct Remark {
  std::string message;
  std::string remedy;
  std::optional<Severity> severity;
  std::optional<sql::Span> span;  // of the file
  std::optional<LockTaken> lock;
  bool table_rewrite = false;
  bool table_scan = false;
  std::vector<Edit> fix;
};

using Reporter = std::function<void(Remark)>;

enum class Default { kOn, kOff };

struct Rule {
  std::string_view id;     // kebab-case
  std::string_view title;  // a few words
  Category category = Category::kStyle;
  Severity severity = Severity::kWarning;
  std::string_view effect;  // what it does to production, with the lock
  std::string_view remedy;  // what to do instead, in one or two sentences
  Default by_default = Default::kOn;
  void (*check)(const Context& context, const Reporter& report) = nullptr;
};

// Declared where every rule sees it: a constant that was never declared is its file's own.
#define PGALTER_LINT_RULE(name) extern const Rule k##name;
#include "planner/lint/rules.def"
#undef PGALTER_LINT_RULE

}  // namespace pgalter::lint
