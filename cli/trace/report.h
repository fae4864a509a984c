// What `trace` saw, for people and for programs. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "cli/context.h"
#include "engine/trace/fill.h"
#include "engine/trace/trace_script.h"
#include "planner/lint/finding.h"
#include "planner/plan/plan.h"

namespace pgalter::cli {

struct TraceReport {
  std::string file;  // as the user gave it; "--sql" or "-" without one
  std::string text;
  std::string server;                // its version
  std::vector<std::string> remarks;  // on the schema and the file
  std::vector<trace::Filled> filled;
  std::vector<trace::Traced> statements;
  std::vector<lint::Finding> findings;
  std::vector<plan::Statement> planned;  // of the text as a whole
};

std::string TraceText(const TraceReport& report, Color color);
boost::json::object TraceJson(const TraceReport& report);

// 1 a statement failed, 3 the planner was wrong, else 0.
ExitCode TraceExit(const TraceReport& report);

}  // namespace pgalter::cli
