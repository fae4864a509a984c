// Partman: what pg_partman is told to do with a table, as far as its own table of settings says so.
// Two that make the same partitions, or drop them, would be in each other's way: where pg_partman
// does something, pgalter does not. Reads only.
#pragma once

#include <optional>
#include <string>

#include "batcher/partition/whole.h"

namespace pgalter::partition {

struct Partman {
  std::string schema;  // quoted: of its functions and settings
  std::string parent;  // the table as it names it, as a literal
  std::string interval;
  int premake = 0;
  std::string retention;  // empty: it lets nothing go
  bool automatic = true;  // its run_maintenance() without a table's name does this one
  // Its settings cannot be read by this role; the others are empty then.
  bool unreadable = false;
  std::string grant;  // the statement that would change that

  // "pg_partman makes its partitions (every 1 mon, 4 ahead)": for people.
  [[nodiscard]] std::string Text() const;
  // "parts.create_partition_time" of "create", by what it parts by.
  [[nodiscard]] std::string FunctionOf(const char* verb) const;
};

// What of a table's partitions it relies on.
enum class PartmanKeeps { kNames, kWidths, kRetention, kPartitioning };

// nullopt: it is not installed, or not told of this table.
Task<std::optional<Partman>> FindPartman(Session& session, pg::Oid table);

// Throw run::Failure (refused; unsupported where its settings cannot be read).
Task<> RefuseToMakeBesidePartman(Session& session, const backfill::Table& table);
Task<> RefuseToDropBesidePartman(Session& session, const backfill::Table& table);
// The message names the function of its own that does it.
Task<> RefuseBesidePartman(Session& session, const backfill::Table& table, PartmanKeeps keeps);

}  // namespace pgalter::partition
