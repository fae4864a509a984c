#pragma once

// The seam to libpg_query: PostgreSQL's own scanner and grammar. Only the .cc files of planner/sql
// include this header, and only grammar.cc calls the library, so that differences between its
// versions (15, 16, 17) stay in one file.
//
// Every function refuses what would crash or mislead the library: text that is not UTF-8 or has a
// zero byte, and nesting deep enough to exhaust the stack of the library's recursive code, which
// does not check it.

#include <google/protobuf/arena.h>
#include <pg_query.pb.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/result.h"

namespace pgalter::sql::grammar {

struct Token {
  std::size_t begin = 0;  // byte offsets
  std::size_t end = 0;
  pg_query::Token kind = pg_query::NUL;

  [[nodiscard]] std::string_view In(std::string_view text) const {
    return text.substr(begin, end - begin);
  }
  [[nodiscard]] bool IsComment() const {
    return kind == pg_query::SQL_COMMENT || kind == pg_query::C_COMMENT;
  }
};

// All tokens, comments among them.
[[nodiscard]] Result<std::vector<Token>> Scan(std::string_view text);

// Locations in the tree are byte offsets into `text`.
[[nodiscard]] Result<pg_query::ParseResult> Parse(std::string_view text);

// The same for reading alone: a tree that lives in one piece of memory is made and freed faster.
struct Tree {
  std::unique_ptr<google::protobuf::Arena> arena;
  const pg_query::ParseResult* root = nullptr;
};
[[nodiscard]] Result<Tree> ParseTree(std::string_view text);

// The PL/pgSQL of a CREATE FUNCTION, CREATE PROCEDURE or DO statement whose body is `body`: a JSON
// array with one object a function.
[[nodiscard]] Result<std::string> ParsePlpgsql(std::string_view statement, std::string_view body);

// 16 hexadecimal digits that texts share which differ in literals, comments and blanks alone.
[[nodiscard]] Result<std::string> Fingerprint(std::string_view text);

// The text as the library writes it. Not always the same meaning: whoever asks compares.
[[nodiscard]] Result<std::string> Deparse(std::string_view text);

}  // namespace pgalter::sql::grammar
