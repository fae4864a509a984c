// One folder of tests/lint: the two scripts and what their heads say.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace pgalter::test {

struct LintScript {
  std::string text;
  int server = 0;    // at least this major version
  int before = 999;  // below this major version
  std::string sending = "one-by-one";
  std::vector<std::string> proves;  // as written, behind "proves: "
};

struct LintCase {
  std::string rule;  // the folder's name
  LintScript bad;
  LintScript good;
};

inline void PrintTo(const LintCase& given, std::ostream* out) { *out << given.rule; }

// All folders of tests/lint, by name. Throws where a file is missing or a head is not understood.
std::vector<LintCase> ReadLintCases();
std::string ReadLintBase();

}  // namespace pgalter::test
