// What `pgalter lint` was asked for, settled: flag over [lint] in pgalter.toml over default.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "planner/lint/options.h"

namespace pgalter::cli {

struct LintSettings {
  lint::Options options;
  bool has_server_version = false;  // else the live server's, if there is one
  std::optional<lint::Severity> fail_on = lint::Severity::kError;
  std::vector<std::string> paths;   // "-": stdin
  std::vector<std::string> ignore;  // patterns of paths that are history, and not judged
  std::string format;               // empty: found out
  std::string schema;               // a dump; empty: none
  std::string table_sizes;
  std::string git_base;
  std::string baseline;
  std::string output = "text";
  std::string out;  // empty: stdout
  bool down = false;
  bool connect = false;
  bool fix = false;
  bool diff = false;
  bool write_baseline = false;

  // What there is before the first judged file; then history has nothing to add.
  [[nodiscard]] bool knows_schema() const { return connect || !schema.empty(); }
};

inline constexpr int kOldestJudged = 13;
inline constexpr int kNewestJudged = 18;

void AddLintOptions(boost::program_options::options_description& options);

// Throws Rejected (usage) for what is not known, naming the nearest that is.
LintSettings SettleLint(const Context& context);

}  // namespace pgalter::cli
