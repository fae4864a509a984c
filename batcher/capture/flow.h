// Flow: the changes of one table on their way into another. Forward from source to shadow while it
// is made, in reverse from the new table to the old one after the cut-over.
//
// A trigger on `from` appends the keys that change to a log; they are moved from there into a set
// of dirty keys, and each dirty key's row is copied anew as it is then. Log rows and changes become
// visible together, so the result is right whatever the order (design: catch-up).
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::capture {

using async::Task;
using guard::Session;

// Names are quoted as SQL.
struct KeyColumn {
  std::string from;
  std::string to;
  std::string type;    // of the log: that of `from`, of any length, with its schema; the widest
                       // integer and text stand for their like, as users may change it
  std::string equals;  // the operator of the key's index: OPERATOR(pg_catalog.=)
};

struct MappedColumn {
  std::string to;
  std::string value;  // SQL over the row of `from`, whose alias is the table's name
  std::string type;   // of `to`. Values are stored by assignment, which refuses what is too long,
                      // and cast for comparison only
};

// A table whose rows go into another one.
struct Source {
  pg::Oid oid = 0;
  std::string name;  // quoted, with its schema; as it was when the flow was loaded
};

struct Flow {
  std::string run;
  std::string name;    // "forward" or "reverse"; of a run's further tables "forward_2" and so on
  std::string schema;  // of log, dirty keys and function; quoted
  pg::Oid from_oid = 0;
  pg::Oid to_oid = 0;
  std::string from;  // quoted, with its schema; as it was when the flow was loaded
  std::string to;
  // More tables whose rows go into `to`, with the columns of `from`, by name and type, and no key
  // in two of them. What becomes of one as a whole is seen as of a partition (parts.h).
  std::vector<Source> also;
  std::string alias;  // quoted: what `value` may call the table
  std::vector<KeyColumn> key;
  std::vector<MappedColumn> columns;
  // `to` has columns that `from` says nothing of: its rows keep what they have there.
  bool in_place = false;
  std::vector<std::string> kept;  // these columns, as the table is now; not stored
  std::vector<std::string> read;  // all columns of `from`, where there are more tables; not stored
  // How long changes are logged while no runner is there, and up to which size of the log; 0: for
  // ever, as of runs that were made before there was an end to it.
  std::chrono::seconds unattended{0};
  std::int64_t log_limit = 0;     // bytes
  bool from_partitioned = false;  // as the tables are now; not stored
  bool to_partitioned = false;

  [[nodiscard]] std::string log() const { return schema + ".log_" + name; }
  [[nodiscard]] std::string dirty() const { return schema + ".dirty_" + name; }
  // One row that a crash of the server takes away, as it empties all UNLOGGED tables.
  [[nodiscard]] std::string crash_mark() const { return schema + ".alive_" + name; }
  // Sequences, as they are read and set in no transaction: until when changes are logged, and
  // whether one was not. They go with the log.
  [[nodiscard]] std::string deadline() const { return schema + ".deadline_" + name; }
  [[nodiscard]] std::string given_up() const { return schema + ".given_up_" + name; }
  [[nodiscard]] std::string function() const { return schema + ".capture_" + name; }
  [[nodiscard]] std::string trigger() const;           // on `from`, for rows
  [[nodiscard]] std::string truncate_trigger() const;  // and for TRUNCATE; none of several tables

  // `from`, and those beside it.
  [[nodiscard]] std::vector<Source> sources() const;
  [[nodiscard]] std::vector<std::int64_t> source_oids() const;
  [[nodiscard]] std::string source_names() const;  // "a, b"
  // Of each of the sources: the ledger tells triggers apart by their names.
  [[nodiscard]] std::string trigger_of(std::size_t source) const;
  // Whether rows are in several tables, any of which may be emptied or rewritten by itself.
  [[nodiscard]] bool in_parts() const { return from_partitioned || !also.empty(); }
};

// "pgalter_1a2b3c4d": the schema of what one run makes. No two runs share it. Of a run that changes
// several tables each has its own, as they may have the same names: "pgalter_1a2b3c4d_2".
std::string SchemaOf(const std::string& run, int number = 1);

// "forward" of the second table: "forward_2".
std::string NameOfFlow(const std::string& direction, int number);

// In the caller's transaction, after the lease was checked.
Task<> RecordFlow(Session& session, const Flow& flow);
// With the tables' names of now. Throws run::Failure when one of them was dropped.
// What `verify` found of its two tables, until it finds them the same.
Task<> NoteVerified(Session& session, std::string run, std::string name, bool same);
Task<bool> IsFoundDifferent(Session& session, std::string run, std::string name);

Task<Flow> LoadFlow(Session& session, std::string run, std::string name);
// Those of all tables of a run, in their order. `direction`: "forward" or "reverse".
Task<std::vector<Flow>> LoadFlows(Session& session, std::string run, std::string direction);

}  // namespace pgalter::capture
