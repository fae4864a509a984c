#include <algorithm>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

struct Advice {
  std::string_view type;
  std::string_view instead;
};

constexpr Advice kAdvice[] = {
    {"money", "numeric: money means what lc_monetary says on the day it is read"},
    {"float4", "numeric where sums have to be exact"},
    {"float8", "numeric where sums have to be exact"},
    {"timetz", "timestamptz, or time with the zone's name beside it"},
    {"xml", "jsonb, or text"},
    {"hstore", "jsonb, which needs no extension"},
};

void Check(const Context& context, const Reporter& report) {
  ForEachNewColumn(context, [&](const auto& table, const sql::ast::ColumnDefinition& column) {
    const auto* advice = std::ranges::find(kAdvice, column.type.name, &Advice::type);
    if (advice == std::end(kAdvice)) return;
    Remark remark;
    remark.message = fmt::format("{}.{} is {}", Context::Show(table), column.name, advice->type);
    remark.remedy = fmt::format("{}.", advice->instead);
    report(std::move(remark));
  });
}

}  // namespace

constinit const Rule kQuestionableType{
    .id = "questionable-type",
    .title = "Type with a better one beside it",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "money depends on lc_monetary, floats round, timetz has no zone's rules, xml and hstore "
        "have no index for what is inside.",
    .remedy = "numeric for amounts, time or timestamptz for times, jsonb for what has parts.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
