#pragma once

// The book of another tool: the tables in which it keeps what it has applied, and what it would
// have written into them. `up` and `down` write it in the transaction of a migration's last step,
// so that the tool takes our work for its own; what the tool did is read from it.
//
// A tool that is not here is one that no test of ours runs: its book is only read.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/guard/session.h"
#include "migrations/formats/sqitch_plan.h"
#include "migrations/history/collection.h"
#include "migrations/history/foreign.h"
#include "migrations/history/sqitch_ids.h"
#include "planner/plan/plan.h"

namespace pgalter::writeback {

using async::Task;

// Who sqitch says it was.
struct Person {
  std::string name;
  std::string email;
};

struct Sqitch {
  formats::SqitchPlan plan;
  std::vector<history::SqitchIds> ids;  // of the plan's changes
  Person person;
};

// Of each of Alembic's revisions: itself and all that stand on it, directly or not.
using Above = std::map<std::string, std::set<std::string>>;

struct Book {
  std::string format;
  std::filesystem::path directory;   // of the migrations
  std::string called;                // as people call the tool
  std::string table;                 // qualified, as SQL
  bool there = false;                // the table is
  std::optional<std::int64_t> lock;  // the advisory lock that the tool takes, if it takes one
  std::optional<Sqitch> sqitch;
  Above above;  // of Alembic
};

// Formats whose books are written.
[[nodiscard]] std::vector<std::string_view> WritableFormats();

// Looks the tool's table up and changes nothing. All files of the collection are of one tool.
// Throws run::Failure: it is not written (refused), or what it needs is not there (usage).
Task<Book> FindBook(guard::Session& session, const history::Collection& collection,
                    std::string table);

// Makes what the tool itself makes before its first migration.
Task<> MakeBook(guard::Session& session, Book& book);

// Throws run::Failure (history divergence): a row that the plan does not explain.
Task<history::ForeignHistory> ReadBook(guard::Session& session, const Book& book);

// One migration in the book: statements for one transaction, without semicolons.
struct Entry {
  std::vector<std::string> in;
  std::vector<std::string> out;
};
// With the mark in pgalter.migration that the tool knows of it.
[[nodiscard]] Entry EntryOf(const Book& book, const history::Migration& migration);

// Has the last step of the plan write `now`, and its way back `back`. A plan without steps stays
// so.
void Attach(plan::Plan& plan, const std::vector<std::string>& now,
            const std::vector<std::string>& back, std::string_view called);

// Its own, each; private to this folder.
[[nodiscard]] Entry AlembicEntry(const Book& book, const history::Migration& migration);
[[nodiscard]] Entry DbmateEntry(const Book& book, const history::Migration& migration);
[[nodiscard]] Entry NodePgMigrateEntry(const Book& book, const history::Migration& migration);
[[nodiscard]] Entry SqitchEntry(const Book& book, const history::Migration& migration);
// Throws run::Failure (usage): one stands on what is no revision of the directory.
[[nodiscard]] Above AboveOf(const history::Collection& collection);
[[nodiscard]] Sqitch ReadSqitch(const history::Collection& collection);
[[nodiscard]] std::vector<std::string> SqitchTables(const Book& book);
// Throws run::Failure: the registry is of another release, or the project another one.
Task<> CheckRegistry(guard::Session& session, const Book& book);

}  // namespace pgalter::writeback
