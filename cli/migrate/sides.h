// The two sides of `pgalter diff`: a database, or what a file or a directory makes of an empty one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "engine/sandbox/sandbox.h"
#include "migrations/history/schema_lines.h"

namespace pgalter::cli {

struct Side {
  std::string called;
  history::SchemaLines lines;
  std::vector<std::string> notes;  // what of a file could not be run
  Context where;                   // its database
  bool throwaway = false;          // which nobody needs afterwards
};

// Reads sides; starts a throwaway server where one is needed, and has it until its own end.
class Sides {
 public:
  Sides(const Context& context, history::Owners owners) : context_(context), owners_(owners) {}

  // "db": the connection of the command line; "env:NAME": one of pgalter.toml; a connection string
  // or URI; a file of SQL; a directory of migrations. Throws Rejected (usage).
  Task<Side> Read(std::string what);
  // A database of the same schema that can be changed: its own if it is a throwaway one, else made
  // with pg_dump. `notes` learns what it lacks.
  Task<Context> CopyOf(const Side& side, std::vector<std::string>& notes);

 private:
  Task<Side> ReadDatabase(std::string what, Context where) const;
  Task<Side> ReadFile(std::string path);
  Task<Side> ReadDirectory(std::string path);
  // Of an empty database on the throwaway server.
  Task<Context> EmptyDatabase();

  const Context& context_;
  history::Owners owners_;
  std::optional<sandbox::Sandbox> server_;
  int databases_ = 0;
};

}  // namespace pgalter::cli
