#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

// Whoever owns a table may alter it; a new relation, type or function beside it is the schema's
// matter, and so is a new name.
constexpr const char* kSql = R"sql(
SELECT quote_ident(n.nspname), quote_ident(current_user)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE CASE WHEN cardinality($1::oid[]) > 0 THEN c.oid = ANY ($1::oid[])
           ELSE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema'
                AND n.nspname !~ '^pg_' AND pg_has_role(c.relowner, 'USAGE') END
  AND NOT has_schema_privilege(n.oid, 'CREATE')
GROUP BY n.nspname ORDER BY n.nspname
)sql";

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result rows = co_await context.db.Query(kSql, oids);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto schema = rows.Get<std::string>(row, 0);
    std::string what = fmt::format("no CREATE on schema {}", schema);
    std::string meaning =
        "columns can be added and dropped, but no index be built there, no table be renamed, "
        "copied, split or partitioned, and no trigger function made";
    std::string remedy =
        fmt::format("GRANT CREATE ON SCHEMA {} TO {}", schema, rows.Get<std::string>(row, 1));
    answers.push_back(context.target.whole_database()
                          ? Note(std::move(what), std::move(meaning), std::move(remedy))
                          : Warning(std::move(what), std::move(meaning), std::move(remedy)));
  }
  co_return answers;
}

}  // namespace

constinit const Check kSchemaCreate{
    .id = "schema-create",
    .fine = "this role may create beside the tables that it is to change",
    .run = &Run};

}  // namespace pgalter::check
