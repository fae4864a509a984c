#pragma once

// What a step's cells say, alike in every format. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "planner/plan/plan.h"

namespace pgalter::plan {

// "the statement runs as it is", "rewritten by set-not-null"
[[nodiscard]] std::string AnswerCell(const Statement& statement);
// Control characters and line breaks as blanks: the statement on one line.
[[nodiscard]] std::string OneLine(std::string_view text);
// What is too long to be read in a table is cut: --output sql and json have all of it.
[[nodiscard]] std::string Shortened(std::string line);
// "orders ACCESS EXCLUSIVE: readers and writers wait", one a line, those that block first; a lock
// that nobody's rows wait for is left out. Empty: none.
[[nodiscard]] std::string LockCell(const Step& step);
// "table rewrite", "scan", or empty.
[[nodiscard]] std::string WorkCell(const Step& step);
// "2 s to 40 s", "instant"; "?" where it is not known. Behind it what a rehearsal measured.
[[nodiscard]] std::string TimeCell(const Step& step);
[[nodiscard]] std::string CompatibleCell(const Step& step);
// What the step is taken back by, in a few words.
[[nodiscard]] std::string UndoCell(const Step& step);
// What runs: the SQL, or what a gate waits for.
[[nodiscard]] std::vector<std::string> RunsLines(const Step& step);

}  // namespace pgalter::plan
