// A case of tests/plan: one SQL file with parts, each behind a line of its own.
#pragma once

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace pgalter::test {

struct PlanCase {
  std::string setup;      // -- setup
  std::string statement;  // -- statement
  std::string plain;      // -- plain: what it is compared with, where the server refuses that
  std::string answer = "rewritten";  // -- answer NAME, of each statement; "mixed": any
  // -- except WORD …: what the recipe says it does not keep: column-order, rows (values that the
  // server makes up), undo (something harmless that stays); or not-run: a plan that only says what
  // cannot be done.
  std::vector<std::string> except;
  int from = 0;  // -- from N: the oldest major version that takes it

  [[nodiscard]] bool Has(const std::string& word) const {
    return std::find(except.begin(), except.end(), word) != except.end();
  }
};

inline PlanCase ReadPlanCase(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  PlanCase read;
  const std::map<std::string, std::string PlanCase::*> parts = {{"setup", &PlanCase::setup},
                                                                {"statement", &PlanCase::statement},
                                                                {"plain", &PlanCase::plain}};
  std::string PlanCase::*part = nullptr;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string dashes;
    std::string word;
    words >> dashes >> word;
    if (dashes == "--" && parts.count(word) > 0) {
      part = parts.at(word);
    } else if (dashes == "--" && word == "answer") {
      words >> read.answer;
    } else if (dashes == "--" && word == "from") {
      words >> read.from;
    } else if (dashes == "--" && word == "except") {
      while (words >> word) read.except.push_back(word);
    } else if (part != nullptr) {
      read.*part += line + '\n';
    }
  }
  return read;
}

}  // namespace pgalter::test
