#pragma once

// Questions about a database that have a name: what stands in a `verify` section beside queries, as
// `exists(table public.person)`. Turned into SQL here. Pure.
//
//   exists(KIND NAME)            schema, role, extension; table, view, matview, index, sequence,
//                                type; column, constraint, trigger, policy (schema.table.name);
//                                function (schema.name(types))
//   index_valid(NAME)            it is there and can be used
//   enum(NAME, 'label', ...)     exactly these labels, in this order
//   rows(NAME, [OPERATOR] N)     so many rows; counts all of them
//   no_orphans(TABLE[.NAME])     every row that a foreign key is about has the one it names
//   policy_allows(ROLE, QUERY)   the query, asked as that role, says true
//   policy_denies(ROLE, QUERY)   the role may not ask it (42501)
//   round_trip(env:VARIABLE)     pgcrypto gives back what it encrypted with that key
//   decrypts(COLUMN, env:VARIABLE)  every value of schema.table.column was encrypted with it
//
// Names are qualified: a table of the same name in another schema is no answer. In front of the
// first five may stand `not`.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::history {

struct Assertion {
  // The first column of every row has to be true; a second says why it is not. With `gives_sql` its
  // one column is such a query, to be sent in turn.
  std::string sql;
  bool gives_sql = false;
  bool negated = false;
  std::string role;        // asked as it; empty: as we are
  bool is_denied = false;  // holds when the server refuses the role (42501)
  std::string secret;      // the environment variable that is bound to $1, of the last query
  std::string otherwise;   // why it does not hold, where no column says it; also: no row
};

struct AssertionProblem {
  std::string what;
  // What was typed, and what could have been meant; empty where that says nothing.
  std::string typed;
  std::vector<std::string> known;
};

struct ReadAssertion {
  std::optional<Assertion> assertion;  // neither this nor a problem: it is SQL as it stands
  std::optional<AssertionProblem> problem;
};

// `text` is one statement without its semicolon.
[[nodiscard]] ReadAssertion ParseAssertion(std::string_view text);

}  // namespace pgalter::history
