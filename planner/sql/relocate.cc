#include "planner/sql/relocate.h"

#include <algorithm>
#include <vector>

#include "planner/sql/grammar.h"
#include "planner/sql/identifier.h"

namespace pgalter::sql {
namespace {

std::vector<const pg_query::RangeVar*> NamesOf(const pg_query::Node& statement) {
  std::vector<const pg_query::RangeVar*> names;
  if (statement.has_create_stmt()) {
    const auto& create = statement.create_stmt();
    names.push_back(&create.relation());
    if (create.has_partbound())
      for (const auto& parent : create.inh_relations()) names.push_back(&parent.range_var());
  } else if (statement.has_index_stmt()) {
    names.push_back(&statement.index_stmt().relation());
  } else if (statement.has_alter_table_stmt() &&
             statement.alter_table_stmt().objtype() == pg_query::OBJECT_TABLE) {
    names.push_back(&statement.alter_table_stmt().relation());
  }
  std::ranges::sort(names, {}, [](const auto* name) { return name->location(); });
  return names;
}

// One past the last token of a name that starts at tokens[at].
std::size_t EndOfName(const std::vector<grammar::Token>& tokens, std::size_t at,
                      const pg_query::RangeVar& name) {
  const int dots = (name.schemaname().empty() ? 0 : 1) + (name.catalogname().empty() ? 0 : 1);
  for (int part = 0; part <= dots && at < tokens.size(); ++part) {
    if (part > 0) ++at;  // the dot
    ++at;
    if (at < tokens.size() && tokens[at].kind == pg_query::UESCAPE) at += 2;
  }
  return std::min(at, tokens.size());
}

}  // namespace

Result<std::string> MoveDefinition(std::string_view statement, std::string_view schema) {
  const auto parsed = grammar::Parse(statement);
  if (!parsed) return parsed.error();
  if (parsed->stmts_size() != 1) return Error{"this is not one statement", 0, ""};
  const auto names = NamesOf(parsed->stmts(0).stmt());
  if (names.empty()) return Error{"this is no CREATE TABLE, CREATE INDEX or ALTER TABLE", 0, ""};
  auto tokens = grammar::Scan(statement);
  if (!tokens) return tokens.error();
  std::erase_if(*tokens, [](const grammar::Token& token) { return token.IsComment(); });
  std::string moved;
  std::size_t written = 0;
  for (const auto* name : names) {
    const auto begin = static_cast<std::size_t>(name->location());
    const auto first = std::ranges::lower_bound(*tokens, begin, {}, &grammar::Token::begin);
    const auto end = EndOfName(*tokens, static_cast<std::size_t>(first - tokens->begin()), *name);
    moved += statement.substr(written, begin - written);
    moved += ToString({std::string(schema), name->relname()});
    written = (*tokens)[end - 1].end;
  }
  moved += statement.substr(written);
  return moved;
}

}  // namespace pgalter::sql
