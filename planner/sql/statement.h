#pragma once

// Whole statements: for logs, and one by one.

#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/result.h"

namespace pgalter::sql {

// The statement on one line with every string and number replaced by $n and comments left out: what
// a log may hold. Numbers go on after those of parameters in the text. Works on tokens, so the text
// need not parse; of text that not even the scanner reads, only the first word is kept.
[[nodiscard]] std::string NormaliseStatement(std::string_view sql);

// The statements' texts without semicolons, each with the comments before it; empty statements are
// left out. A statement that the grammar does not know is no error; a string or comment without an
// end is.
[[nodiscard]] Result<std::vector<std::string>> SplitStatements(std::string_view script);

// 16 hexadecimal digits: the same for statements that differ in literals, comments, blanks and the
// case of unquoted words alone. Another version of libpg_query may give others.
[[nodiscard]] Result<std::string> FingerprintStatement(std::string_view sql);

// One statement in one way of writing, without comments. Refused where that way means something
// else: the library loses brackets in places.
[[nodiscard]] Result<std::string> DeparseStatement(std::string_view sql);

}  // namespace pgalter::sql
