#include "tests/integration/plan_pairs.h"

#include <fmt/format.h>

namespace pgalter::test {

namespace {

struct Kind {
  const char* name;
  const char* there;  // rows of it, of what users made
};

constexpr Kind kKinds[] = {
    {"index", "pg_index x JOIN u ON u.oid = x.indrelid WHERE NOT x.indisprimary"},
    {"key", "pg_constraint f JOIN u ON u.oid = f.conrelid WHERE f.contype IN ('p', 'u')"},
    {"check", "pg_constraint f JOIN u ON u.oid = f.conrelid WHERE f.contype = 'c'"},
    {"fk", "pg_constraint f JOIN u ON u.oid = f.conrelid WHERE f.contype = 'f'"},
    {"exclude", "pg_constraint f JOIN u ON u.oid = f.conrelid WHERE f.contype = 'x'"},
    {"default", "pg_attrdef d JOIN u ON u.oid = d.adrelid AND u.relkind IN ('r', 'p')"},
    {"generated", "pg_attribute a JOIN u ON u.oid = a.attrelid WHERE a.attgenerated <> ''"},
    {"sequence", "u WHERE u.relkind = 'S'"},
    {"view", "u WHERE u.relkind = 'v'"},
    {"matview", "u WHERE u.relkind = 'm'"},
    {"rule", "pg_rewrite r JOIN u ON u.oid = r.ev_class WHERE r.rulename <> '_RETURN'"},
    {"trigger", "pg_trigger t JOIN u ON u.oid = t.tgrelid WHERE NOT t.tgisinternal"},
    {"policy", "pg_policy p JOIN u ON u.oid = p.polrelid"},
    {"grant",
     "u WHERE u.relacl IS NOT NULL OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid "
     "= u.oid AND a.attacl IS NOT NULL)"},
    {"comment",
     "pg_description d JOIN u ON u.oid = d.objoid AND d.classoid = 'pg_class'::regclass"},
    {"statistics", "pg_statistic_ext s JOIN u ON u.oid = s.stxrelid"},
    {"publication", "pg_publication_rel p JOIN u ON u.oid = p.prrelid"},
    {"partition", "u WHERE u.relkind = 'p'"},
    {"child",
     "pg_inherits i JOIN u ON u.oid = i.inhrelid AND NOT u.relispartition AND u.relkind = "
     "'r'"},
    {"domain",
     "pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' AND "
     "n.nspname !~ '^(pg_|information_schema$)'"},
};

}  // namespace

void PlanPairs::Note(const plan::Plan& plan, const FreshDatabase& database) {
  ++cases_;
  std::set<std::string> kinds;
  for (const Kind& kind : kKinds)
    if (database.Value(fmt::format(
            "WITH u AS (SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname !~ '^(pg_|information_schema$)') SELECT EXISTS (SELECT FROM {})",
            kind.there)) == "t")
      kinds.insert(kind.name);
  for (const plan::Statement& statement : plan.statements)
    for (const std::string& kind : kinds)
      ++met_[statement.recipe.empty() ? "(as it is)" : statement.recipe][kind];
}

std::size_t PlanPairs::pairs() const {
  std::size_t count = 0;
  for (const auto& [recipe, kinds] : met_) count += kinds.size();
  return count;
}

void PlanPairs::Print() const {
  std::string text = fmt::format("{:<18}", "");
  for (const Kind& kind : kKinds) text += fmt::format(" {:>11}", kind.name);
  for (const auto& [recipe, kinds] : met_) {
    text += fmt::format("\n{:<18}", recipe);
    for (const Kind& kind : kKinds) {
      const auto count = kinds.find(kind.name);
      text += fmt::format(" {:>11}", count == kinds.end() ? "" : std::to_string(count->second));
    }
  }
  fmt::print("{}\n{} changes, {} pairs of a recipe and what it met\n", text, cases_, pairs());
}

}  // namespace pgalter::test
