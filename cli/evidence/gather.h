// What the database keeps of a run, or of a time, as one JSON value: docs/schemas/report.json.
// Reads only, in one snapshot; the values of rows and the texts of errors, which can quote them,
// are left where they are.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/guard/session.h"
#include "migrations/history/audit_chain.h"

namespace pgalter::cli::evidence {

using async::Task;

struct Scope {
  std::string run;    // its id; empty: all of `since`
  std::string since;  // ISO 8601; empty: of `run`
};

// A file that is copied beside the report.
struct TextCopy {
  std::string name;
  std::string text;
};

struct Gathered {
  boost::json::object report;
  boost::json::array plans;                  // one a run: {"run", "steps"}
  std::optional<history::Anchor> before;     // what the first of `entries` follows
  std::vector<history::AuditEntry> entries;  // up to the end of the log
  std::optional<history::Break> broken;      // of the whole log
  std::vector<TextCopy> copies;              // of the files of migrations; texts.h
  std::string profile;                       // whose questions are answered, too; empty: none
};

// As an ISO 8601 in UTC. Throws Rejected (usage) where it is no time.
Task<std::string> ReadTime(guard::Session& session, std::string text);

Task<Gathered> Gather(guard::Session& session, Scope scope);

}  // namespace pgalter::cli::evidence
