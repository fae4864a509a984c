#include "planner/lint/rules/definitions.h"

namespace pgalter::lint {

namespace {

std::string_view BetterMethod(const sql::ast::TypeName& type) {
  if (type.array_dimensions > 0 || type.name == "jsonb" || type.name == "tsvector" ||
      type.name == "hstore")
    return "gin";
  if (type.name == "geometry" || type.name == "geography") return "gist";
  return type.name == "vector" ? "hnsw" : "";
}

void Check(const Context& context, const Reporter& report) {
  const auto* index = context.statement.As<sql::ast::CreateIndex>();
  const catalog::Table* table = index == nullptr ? nullptr : context.schema.FindTable(index->table);
  if (table == nullptr || index->method != "btree" || index->unique) return;
  for (const auto& column : index->columns) {
    const catalog::Column* known = table->FindColumn(column.column);
    if (known == nullptr || !known->known) continue;
    const std::string_view better = BetterMethod(known->type);
    if (better.empty()) continue;
    Say(report,
        fmt::format("{}.{} is {}: searches inside it use an index of method {}",
                    Context::Show(index->table), column.column, ToString(known->type), better));
  }
}

}  // namespace

constinit const Rule kUnfitIndexMethod{
    .id = "unfit-index-method",
    .title = "Index that finds nothing inside its values",
    .category = Category::kStyle,
    .severity = Severity::kNote,
    .effect =
        "A btree index compares whole values: searches inside arrays, documents and shapes do not "
        "use it.",
    .remedy = "GIN for jsonb, arrays and tsvector; GiST for geometry and ranges; hnsw for vectors.",
    .check = &Check};

}  // namespace pgalter::lint
