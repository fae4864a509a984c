// Answers to questions, for people and for CI: text, TAP, JUnit. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "migrations/history/verify.h"

namespace pgalter::cli {

// A file's questions.
struct Questioned {
  std::string name;
  std::vector<history::Answered> answers;
};

struct Tally {
  std::size_t asked = 0;
  std::size_t failed = 0;
};
[[nodiscard]] Tally TallyOf(const std::vector<Questioned>& all);

[[nodiscard]] std::string AnswersAsText(const std::vector<Questioned>& all);
// TAP version 13.
[[nodiscard]] std::string AnswersAsTap(const std::vector<Questioned>& all);
[[nodiscard]] std::string AnswersAsJunit(const std::vector<Questioned>& all);
[[nodiscard]] boost::json::object AnswersAsJson(const std::vector<Questioned>& all);

}  // namespace pgalter::cli
