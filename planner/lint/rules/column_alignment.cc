#include <algorithm>
#include <functional>
#include <vector>

#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

struct Width {
  std::string_view type;
  int bytes;
  int alignment;
};

constexpr Width kWidths[] = {
    {"int8", 8, 8},    {"float8", 8, 8},      {"timestamp", 8, 8}, {"timestamptz", 8, 8},
    {"time", 8, 8},    {"money", 8, 8},       {"bigserial", 8, 8}, {"serial8", 8, 8},
    {"timetz", 12, 8}, {"interval", 16, 8},   {"int4", 4, 4},      {"float4", 4, 4},
    {"date", 4, 4},    {"serial", 4, 4},      {"serial4", 4, 4},   {"int2", 2, 2},
    {"serial2", 2, 2}, {"smallserial", 2, 2}, {"bool", 1, 1},      {"uuid", 16, 1},
};

// Up to the first column whose length is not fixed: what comes after it may begin anywhere.
std::vector<Width> FixedColumns(const std::vector<sql::ast::ColumnDefinition>& columns) {
  std::vector<Width> widths;
  for (const auto& column : columns) {
    const auto* width = std::ranges::find(kWidths, column.type.name, &Width::type);
    if (width == std::end(kWidths) || column.type.array_dimensions > 0) break;
    widths.push_back(*width);
  }
  return widths;
}

int Padding(const std::vector<Width>& widths) {
  int padding = 0;
  int at = 0;
  for (const Width& width : widths) {
    const int gap = (width.alignment - at % width.alignment) % width.alignment;
    padding += gap;
    at += gap + width.bytes;
  }
  return padding;
}

void Check(const Context& context, const Reporter& report) {
  const auto* table = context.statement.As<sql::ast::CreateTable>();
  if (table == nullptr) return;
  std::vector<Width> widths = FixedColumns(table->columns);
  const int now = Padding(widths);
  std::ranges::stable_sort(widths, std::ranges::greater(), &Width::alignment);
  const int saved = now - Padding(widths);
  if (saved >= 8)
    Say(report, fmt::format("another order of columns saves {} bytes in every row of {}", saved,
                            Context::Show(table->name)));
}

}  // namespace

constinit const Rule kColumnAlignment{
    .id = "column-alignment",
    .title = "Columns in a wasteful order",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect = "Bytes of padding in every row.",
    .remedy = "Eight-byte columns first, then four, two and one; what has no fixed length last.",
    .by_default = Default::kOff,
    .check = &Check};

}  // namespace pgalter::lint
