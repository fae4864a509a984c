#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

namespace {

// CONCURRENTLY goes behind the word INDEX; never where the statement stands in a transaction.
std::vector<Edit> Fix(const Context& context) {
  constexpr std::string_view kWord = "INDEX";
  if (context.embedded || context.transaction.open()) return {};
  for (std::size_t at = 0; at + kWord.size() <= context.text.size(); ++at) {
    const bool here = std::equal(kWord.begin(), kWord.end(), context.text.begin() + at,
                                 [](char a, char b) { return a == (b & ~0x20); });
    if (!here) continue;
    const std::size_t place = context.span.begin + at + kWord.size();
    return {{{place, place}, " CONCURRENTLY"}};
  }
  return {};
}

void Check(const Context& context, const Reporter& report) {
  const auto* create = context.statement.As<sql::ast::CreateIndex>();
  if (create == nullptr || create->concurrently) return;
  ForEachWork(context, locks::Reason::kIndexBuild, [&](const locks::Work& work) {
    Remark remark = About(context, work,
                          fmt::format("building this index keeps everybody from writing {} until "
                                      "it is built",
                                      Context::Show(work.relation)));
    const catalog::Table* table = context.schema.FindTable(create->table);
    const bool partitioned = table != nullptr && table->kind == catalog::TableKind::kPartitioned;
    if (partitioned)
      remark.remedy =
          "CREATE INDEX ON ONLY the parent, CREATE INDEX CONCURRENTLY on every partition, and "
          "ALTER "
          "INDEX … ATTACH PARTITION for each.";
    else
      remark.fix = Fix(context);
    report(std::move(remark));
  });
}

}  // namespace

constinit const Rule kCreateIndexNonConcurrent{
    .id = "create-index-non-concurrent",
    .title = "Index built without CONCURRENTLY",
    .category = Category::kScan,
    .severity = Severity::kError,
    .effect = "SHARE on the table for the whole build: reads go on, every write waits.",
    .remedy =
        "CREATE INDEX CONCURRENTLY, outside of a transaction and without a lock_timeout; look "
        "at pg_index.indisvalid afterwards.",
    .check = &Check};

}  // namespace pgalter::lint
