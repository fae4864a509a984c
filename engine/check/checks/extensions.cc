#include <fmt/format.h>

#include <array>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

struct Known {
  std::string_view name;
  Severity severity;
  std::string_view meaning;
  std::string_view remedy;
};

constexpr std::array kKnown{
    Known{"timescaledb", Severity::kWarning,
          "it rewrites DDL on hypertables, whose chunks are tables of its own; some forms are "
          "refused, and compressed chunks cannot be backfilled",
          "change hypertables with its own functions; other tables are not concerned"},
    Known{"citus", Severity::kWarning,
          "DDL on a distributed table is sent to all workers in one transaction, and some forms "
          "are refused; triggers of pgalter would be made on the coordinator alone",
          "change distributed tables with citus's own means; local tables are not concerned"},
    Known{"pg_partman", Severity::kNote,
          "its maintenance makes and detaches partitions by itself, and takes the new ones' "
          "properties from its template table",
          "change the template table, too; keep the maintenance job out of a long change"},
    Known{"pgaudit", Severity::kNote,
          "every DDL statement goes to the server's log, with its text as it was written",
          "put no secret into a statement"},
    Known{"pglogical", Severity::kNote,
          "DDL is not sent to subscribers unless it goes through pglogical.replicate_ddl_command",
          "change every node, columns first on the subscribers"},
    Known{"pg_repack", Severity::kNote,
          "a repack of the same table has triggers and a log of its own, and ends with a swap",
          "do not run both on one table"},
    Known{"pg_squeeze", Severity::kNote,
          "its workers rewrite tables by themselves and end with a swap",
          "stop its worker for the time of the change"},
};

const Known* Find(std::string_view name) {
  for (const Known& known : kKnown)
    if (known.name == name) return &known;
  return nullptr;
}

// pgaudit and others work when they are preloaded, whether made in this database or not.
constexpr const char* kSql = R"sql(
SELECT extname::text, extversion FROM pg_extension
UNION
SELECT btrim(split_part(l, '/', -1)), '' FROM pg_settings s,
  regexp_split_to_table(s.setting, ',') l
WHERE s.name = 'shared_preload_libraries' AND btrim(l) <> ''
  AND btrim(l) NOT IN (SELECT extname FROM pg_extension)
ORDER BY 1
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const pg::Result rows = co_await context.db.Query(kSql);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto name = rows.Get<std::string>(row, 0);
    const Known* known = Find(name);
    if (known == nullptr) continue;
    const auto version = rows.Get<std::string>(row, 1);
    Answer answer;
    answer.severity = known->severity;
    answer.what = version.empty() ? fmt::format("{} is preloaded", name)
                                  : fmt::format("extension {} {}", name, version);
    answer.meaning = known->meaning;
    answer.remedy = known->remedy;
    answers.push_back(std::move(answer));
  }
  co_return answers;
}

}  // namespace

constinit const Check kExtensions{
    .id = "extensions", .fine = "no extension is known to take part in DDL", .run = &Run};

}  // namespace pgalter::check
