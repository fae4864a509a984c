// What one user does in one go, by the dice: every kind of change that can meet a rebuild.
#pragma once

#include <random>
#include <string>

#include "tests/torture/crowd.h"

namespace pgalter::test {

class Changes {
 public:
  // `own`: the name of what this user prepares.
  Changes(const Crowd& crowd, std::string own) : crowd_(crowd), own_(std::move(own)) {}

  // Statements, with their transaction where they have one. What is prepared is left to be ended.
  [[nodiscard]] std::string One(std::mt19937& dice) const;

 private:
  [[nodiscard]] std::string OfRow(std::mt19937& dice, int id, int other) const;
  [[nodiscard]] std::string OfTransaction(std::mt19937& dice, int id, int other) const;
  [[nodiscard]] std::string OfOthers(std::mt19937& dice, int id) const;
  [[nodiscard]] std::string Copied(int first) const;

  Crowd crowd_;
  std::string own_;
};

}  // namespace pgalter::test
