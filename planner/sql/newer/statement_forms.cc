#include "planner/sql/newer/rewriting.h"

namespace pgalter::sql::newer {
namespace {

// Up to the bracket that closes around it.
std::size_t EndOfClause(const Rewriting& text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && text.Depth(end) >= text.Depth(at) && !text.Is(end, ";")) ++end;
  return end;
}

// The MERGE that the clause belongs to, without another such clause between them.
bool BelongsToMerge(const Rewriting& text, std::size_t at) {
  for (std::size_t before = at; before-- > 0 && at - before < kReach;) {
    if (text.Depth(before) != 0) continue;
    if (text.Is(before, "returning")) return false;
    if (text.Is(before, "merge")) return true;
  }
  return false;
}

void MergeReturning(Rewriting& text, std::size_t at) {
  if (!text.Is(at, "returning") || text.Depth(at) != 0 || !text.IsAny(0, {"merge", "with"})) return;
  if (!BelongsToMerge(text, at)) return;
  text.Found(17, "MERGE … RETURNING");
  text.Blank(at, EndOfClause(text, at));
}

// WHEN NOT MATCHED BY SOURCE takes what WHEN MATCHED takes.
void MergeBySource(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"not", "matched", "by"})) return;
  if (!text.IsAny(at + 3, {"source", "target"})) return;
  text.Found(17, "WHEN NOT MATCHED BY SOURCE");
  text.Replace(at, at + 4, text.Is(at + 3, "source") ? "MATCHED" : "NOT MATCHED");
}

// RETURNING WITH (OLD AS o, NEW AS n).
void ReturningWith(Rewriting& text, std::size_t at) {
  if (!text.Are(at, {"returning", "with", "("})) return;
  text.Found(18, "RETURNING WITH (OLD AS …)");
  text.Blank(at + 1, text.Partner(at + 2) + 1);
}

// GRANT role TO role WITH INHERIT TRUE, SET FALSE, ADMIN OPTION.
void GrantWith(Rewriting& text, std::size_t at) {
  if (!text.Is(at, "with") || !text.Is(0, "grant")) return;
  bool admin = false;
  std::size_t end = at + 1;
  while (text.IsAny(end, {"admin", "inherit", "set"}) &&
         text.IsAny(end + 1, {"option", "true", "false"})) {
    if (text.Is(end, "admin")) admin = !text.Is(end + 1, "false");
    end += 2;
    if (!text.Is(end, ",")) break;
    ++end;
  }
  if (end == at + 1) return;
  text.Found(16, "GRANT … WITH INHERIT or SET");
  text.Replace(at, end, admin ? "WITH ADMIN OPTION" : " ");
}

void RevokeOption(Rewriting& text, std::size_t at) {
  if (at != 1 || !text.Is(0, "revoke") || !text.IsAny(at, {"inherit", "set"})) return;
  if (!text.Are(at + 1, {"option", "for"})) return;
  text.Found(16, "REVOKE INHERIT or SET OPTION");
  text.Blank(at, at + 3);
}

void VacuumOnly(Rewriting& text, std::size_t at) {
  if (!text.Is(at, "only") || text.Depth(at) != 0 || text.Is(at - 1, ".")) return;
  if (!text.IsAny(0, {"vacuum", "analyze", "analyse"})) return;
  text.Found(18, "VACUUM and ANALYZE ONLY");
  text.Blank(at, at + 1);
}

// REINDEX DATABASE and SYSTEM of the database one is in.
void ReindexUnnamed(Rewriting& text, std::size_t at) {
  if (!text.IsAny(at, {"database", "system"}) || !text.Is(0, "reindex")) return;
  const std::size_t next = text.Is(at + 1, "concurrently") ? at + 2 : at + 1;
  if (next != text.size()) return;
  text.Found(16, "REINDEX without a name");
  text.Replace(at, next, std::string(text.Text(at, next)) + " unnamed");
  text.Afterwards([](ast::Statement& statement) {
    if (auto* reindex = std::get_if<ast::Reindex>(&statement.body)) reindex->name = {};
  });
}

void StatisticsUnnamed(Rewriting& text, std::size_t at) {
  if (at != 0 || !text.Are(0, {"create", "statistics"})) return;
  if (!text.Is(2, "on") && !text.Is(2, "(")) return;
  text.Found(16, "CREATE STATISTICS without a name");
  text.Replace(1, 2, "STATISTICS unnamed");
  text.Afterwards([](ast::Statement& statement) {
    if (auto* created = std::get_if<ast::CreateStatistics>(&statement.body)) created->name.clear();
  });
}

// REPACK writes a table anew: under ACCESS EXCLUSIVE as VACUUM FULL does, unless CONCURRENTLY.
void Repack(Rewriting& text, std::size_t at) {
  if (at != 0 || !text.Is(0, "repack")) return;
  text.Found(19, "REPACK");
  const std::size_t name = text.Is(1, "(") ? text.Partner(1) + 1 : 1;
  for (std::size_t option = 1; option < name && option < text.size(); ++option) {
    if (text.Is(option, "concurrently")) return text.GiveUpReading();
  }
  std::size_t end = name;
  while (end < text.size() && !text.IsAny(end, {"using", "(", ";"})) ++end;
  text.Replace(0, text.size(), "VACUUM (FULL) " + std::string(text.Text(name, end)));
  text.Afterwards([](ast::Statement& statement) { statement.tag = "REPACK"; });
}

}  // namespace

std::vector<Form> StatementForms() {
  return {MergeReturning, MergeBySource,  ReturningWith,     GrantWith, RevokeOption,
          VacuumOnly,     ReindexUnnamed, StatisticsUnnamed, Repack};
}

}  // namespace pgalter::sql::newer
