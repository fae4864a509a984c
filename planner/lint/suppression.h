#pragma once

// Comments that tell lint to be silent.
//
//   -- pgalter:ignore RULE[, RULE…] reason="…"        the statement that follows, or whose line it
//   is on
//   -- pgalter:ignore-file RULE[, RULE…] reason="…"   the whole file
//   -- squawk-ignore rule, …      -- atlas:nolint …   honoured as they stand: what they name is
//   mapped
//                                                     to the rules that find the same
//   /* pgroll:online */                               what stands for an operation of pgroll's own
//
// A reason has to be given in our own form. What silences nothing is a finding itself.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/script.h"

namespace pgalter::lint {

struct Suppression {
  sql::Span span;                  // of the comment
  std::vector<std::string> rules;  // as written; empty: every rule
  std::vector<std::string> ours;   // the rules that are meant
  std::string reason;
  bool whole_file = false;
  bool foreign = false;  // another tool's
  bool used = false;

  [[nodiscard]] bool Covers(std::string_view rule) const;
};

// nullopt: the comment is none of these.
[[nodiscard]] std::optional<Suppression> ReadSuppression(const sql::Comment& comment);

}  // namespace pgalter::lint
