#include <fmt/format.h>

#include "engine/check/checks.h"

namespace pgalter::check {

namespace {

// The tables themselves, and what a change of them may have to touch.
constexpr const char* kSql = R"sql(
SELECT c.oid::regclass::text, quote_ident(o.rolname), w.part, quote_ident(current_user), o.rolsuper,
       CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END
FROM (SELECT o AS oid, 0 AS part FROM unnest($1::oid[]) o
      UNION
      SELECT conrelid, 1 FROM pg_constraint WHERE contype = 'f' AND confrelid = ANY ($1::oid[])
      UNION
      SELECT confrelid, 2 FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY ($1::oid[])
      UNION
      SELECT r.ev_class, 3 FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
      WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid = ANY ($1::oid[]) AND r.ev_class <> d.refobjid) w
JOIN pg_class c ON c.oid = w.oid JOIN pg_roles o ON o.oid = c.relowner
WHERE NOT pg_has_role(c.relowner, 'USAGE') AND (w.part = 0 OR c.oid <> ALL ($1::oid[]))
ORDER BY w.part, 1
)sql";

constexpr const char* kCount = R"sql(
SELECT count(*) FILTER (WHERE NOT pg_has_role(c.relowner, 'USAGE')), count(*)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
)sql";

constexpr int kPartTable = 0;
constexpr int kPartView = 3;

std::string Meaning(int part) {
  if (part == kPartView)
    return "it reads the table: a change that drops and makes it anew is not possible";
  return "a foreign key joins them: adding, dropping or moving it needs the rights on both";
}

Task<Answers> Run(CheckContext& context) {
  Answers answers;
  if (context.target.whole_database()) {
    const pg::Result count = co_await context.db.Query(kCount);
    const auto others = count.Get<std::int64_t>(0, 0);
    if (others > 0)
      answers.push_back(Note(
          fmt::format("{} of {} tables have another owner", others, count.Get<std::int64_t>(0, 1)),
          "they cannot be altered by this role", "name the tables to see who has to grant what"));
    co_return answers;
  }
  const std::vector<std::int64_t> oids = context.target.Oids();
  const pg::Result rows = co_await context.db.Query(kSql, oids);
  for (int row = 0; row < rows.rows(); ++row) {
    const auto owner = rows.Get<std::string>(row, 1);
    const int part = rows.Get<std::int32_t>(row, 2);
    const auto name = rows.Get<std::string>(row, 0);
    const auto role = rows.Get<std::string>(row, 3);
    std::string what = fmt::format("{} belongs to {}", name, owner);
    std::string remedy = fmt::format("GRANT {} TO {}", owner, role);
    // Nobody is told to become a member of a superuser.
    if (rows.Get<bool>(row, 4))
      remedy = fmt::format("run as {}, or ALTER {} {} OWNER TO {}", owner,
                           rows.Get<std::string>(row, 5), name, role);
    if (part == kPartTable) {
      answers.push_back(Blocker(std::move(what),
                                "only its owner can alter it or put a trigger on it",
                                std::move(remedy), Cause::kRightOrServer));
    } else {
      answers.push_back(Warning(std::move(what), Meaning(part), std::move(remedy)));
    }
  }
  co_return answers;
}

}  // namespace

constinit const Check kOwner{
    .id = "owner", .fine = "this role owns what it is to change", .run = &Run};

}  // namespace pgalter::check
