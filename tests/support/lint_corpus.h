// The migrations of tests/lint/corpus: what each says of itself, and the history it stands in.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace pgalter::test {

struct CorpusCase {
  std::string name;
  bool risky = false;
  std::string reason;
  std::string base;  // name of the shared history
  std::string sending = "one-by-one";
  std::string at;                   // part of the text of the statement that is judged
  std::vector<std::string> proves;  // as written; all hold of that statement
  int server = 0;                   // from this major version on
  int until = 99;                   // up to that one
  std::string history;              // after the shared one
  std::string rows;                 // more rows, known to the server alone
  std::string migration;

  // Of the migration's statements, in their order: the one that contains `at`, or the last. -1:
  // none.
  [[nodiscard]] int Judged(const std::vector<std::string>& statements) const;
};

inline void PrintTo(const CorpusCase& given, std::ostream* out) { *out << given.reason; }

struct CorpusBase {
  std::string schema;                // known to the linter as well
  std::string rows;                  // known to the server alone
  std::vector<std::string> clients;  // what the applications of the time send
};

// By name. Throws where a head is not understood.
std::vector<CorpusCase> ReadCorpus();
CorpusBase ReadCorpusBase(const std::string& name);

}  // namespace pgalter::test
