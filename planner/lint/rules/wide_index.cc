#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

constexpr std::size_t kMany = 3;

void Check(const Context& context, const Reporter& report) {
  const auto* index = context.statement.As<sql::ast::CreateIndex>();
  if (index == nullptr || index->unique || index->columns.size() <= kMany) return;
  Say(report, fmt::format("an index of {} columns on {}", index->columns.size(),
                          Context::Show(index->table)));
}

}  // namespace

constinit const Rule kWideIndex{
    .id = "wide-index",
    .title = "Index of many columns",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "It is large, every update of one of its columns writes it, and it serves queries by its "
        "first columns only.",
    .remedy = "The columns that queries filter by; others by INCLUDE, or not at all.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
