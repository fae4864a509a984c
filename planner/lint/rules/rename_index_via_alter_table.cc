#include <algorithm>

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

namespace {

std::vector<Edit> Fix(const Context& context) {
  constexpr std::string_view kWords = "ALTER TABLE";
  const bool plain = context.text.size() > kWords.size() &&
                     std::equal(kWords.begin(), kWords.end(), context.text.begin(),
                                [](char a, char b) { return a == (b >= 'a' ? b - 32 : b); });
  if (context.embedded || !plain) return {};
  return {{{context.span.begin, context.span.begin + kWords.size()}, "ALTER INDEX"}};
}

void Check(const Context& context, const Reporter& report) {
  const auto* rename = context.statement.As<sql::ast::Rename>();
  if (rename == nullptr || rename->relation != sql::ast::RelationKind::kTable) return;
  if (!rename->part.empty() || context.schema.FindTable(rename->name) != nullptr) return;
  const catalog::Table* table = context.schema.TableOfIndex(rename->name);
  if (table == nullptr || !context.Existing(table->name)) return;
  Remark remark;
  remark.lock = LockTaken{locks::LockMode::kAccessExclusive, Context::Show(rename->name)};
  remark.message = fmt::format("ALTER TABLE locks the index {} so that nobody can read {}",
                               Context::Show(rename->name), Context::Show(table->name));
  remark.fix = Fix(context);
  report(std::move(remark));
}

}  // namespace

constinit const Rule kRenameIndexViaAlterTable{
    .id = "rename-index-via-alter-table",
    .title = "Index renamed by ALTER TABLE",
    .category = Category::kLock,
    .severity = Severity::kWarning,
    .effect =
        "ACCESS EXCLUSIVE on the index: every query of its table waits, for the planner opens all "
        "indexes.",
    .remedy = "ALTER INDEX … RENAME TO, which takes SHARE UPDATE EXCLUSIVE only.",
    .check = &Check};

}  // namespace pgalter::lint
