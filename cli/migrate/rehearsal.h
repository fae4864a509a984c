// What `pgalter rehearse --rows` measured, kept in a file, and how a plan comes by it. Nothing is
// scaled: whoever reads a plan is told how many rows there were.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "cli/context.h"
#include "engine/guard/session.h"
#include "engine/trace/fill.h"
#include "migrations/history/collection.h"
#include "planner/plan/plan.h"

namespace pgalter::cli {

// Rows that are made up for tables of a throwaway server.
class MadeUpRows {
 public:
  MadeUpRows(const Context& context, std::int64_t rows) : context_(context), rows_(rows) {}

  // Of every table that has none. What could not be made is said.
  Task<> Fill(guard::Session& session);
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  const Context& context_;
  std::int64_t rows_;
  std::vector<std::string> problems_;
};

using RowCounts = std::vector<std::pair<sql::QualifiedName, long>>;
// Of users' tables.
Task<RowCounts> CountRows(guard::Session& session);

// The steps of a run that is done, each with the time that it took. `before`: the rows at its
// start.
Task<std::vector<plan::Step>> MeasuredSteps(guard::Session& session, std::string run,
                                            RowCounts before, std::string at);

class RehearsedTimes {
 public:
  // Throws Rejected (usage): it cannot be read, or is something else.
  static RehearsedTimes Read(const std::string& path);

  // Each step that was rehearsed gets its time; of `migration`, unless there is none, only if its
  // statements are still the same. The number of steps that did.
  int AddTo(plan::Plan& plan, const history::Migration* migration) const;

 private:
  struct Rehearsed {
    std::string version;
    std::string sum;
    std::vector<plan::Step> steps;
  };
  std::vector<Rehearsed> migrations_;
};

}  // namespace pgalter::cli
