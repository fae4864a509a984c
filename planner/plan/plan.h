#pragma once

// Plan: what is to be done, step by step, so that an ordinary DDL statement reaches a database in
// use without an outage. Made by planner.h, kept as JSON (json.h).
// Pure values; no secret is in them.
//
// Steps are in the order in which they run: expand, then migrate, then contract. Where a later
// statement builds on what an earlier one leaves, the phases begin again for it. Old program code
// works after every step whose `backward_compatible` is true; a gate stands before the first one
// where it does not.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/locks/lock_mode.h"
#include "planner/sql/identifier.h"

namespace pgalter::plan {

enum class Phase { kExpand, kMigrate, kContract };

enum class StepKind {
  kDdl,              // `sql` in one transaction, under the lock ladder
  kConcurrentIndex,  // CREATE or REINDEX INDEX CONCURRENTLY, alone; `index` must be valid after it
  kDropIndex,        // DROP INDEX CONCURRENTLY, alone; `index` must be gone after it
  kValidate,         // VALIDATE CONSTRAINT: a scan under a lock that stops nobody's rows
  kBackfill,         // `backfill`; `sql` shows the UPDATE that it does in chunks
  kGate,             // `gate`; no SQL: a run stops here until it is opened
  kDetach,           // DETACH PARTITION CONCURRENTLY; cancelled it is ended by FINALIZE
  kRefresh,          // REFRESH MATERIALIZED VIEW CONCURRENTLY
  kAutocommit,       // any other statement that a transaction may not hold
  kRebuild,          // `rebuild`: a copy through a shadow table; `sql` shows the plain statement
  kRelease,          // what was kept up goes: a `backfill`'s trigger, else the rebuild's old table
  kSplitCopy,        // `split`: the rows of the new table, and the proof that they are the same
  kSplitSwap,        // `split`: that proof once more, then `sql` in one transaction
};

enum class Transaction {
  kOwn,     // one transaction for all of `sql`
  kShared,  // in the transaction of the step before it
  kNone,    // each of `sql` by itself, outside a transaction block
};

struct StepLock {
  sql::QualifiedName relation;
  locks::LockMode mode = locks::LockMode::kAccessShare;

  bool operator==(const StepLock&) const = default;
};

// An estimate, from sizes and assumed rates; of waiting for locks nothing is known.
struct Duration {
  double low_s = 0;
  double high_s = 0;

  bool operator==(const Duration&) const = default;
};

// What the same step took in `pgalter rehearse --rows`: measured, and not scaled to any other size.
struct Rehearsed {
  double seconds = 0;
  long rows = 0;   // in the largest table that it worked on; 0: in none
  std::string at;  // UTC, ISO 8601

  bool operator==(const Rehearsed&) const = default;
};

// As for `pgalter backfill TABLE --set … --where … --sync …`.
struct Backfill {
  // kOnce: each row exactly once, as an UPDATE does.
  enum class Sync { kNone, kAuto, kKeep, kOnce };
  // Of users, for the rows that it writes.
  enum class Triggers {
    kFire,      // as those of any UPDATE
    kNone,      // it stands for a statement that fires none: where some would, it is refused
    kAccepted,  // the same, and where they cannot be kept from it they may
  };
  std::string table;  // as SQL has it
  std::string set;
  std::string where;  // empty: every row that differs
  Sync sync = Sync::kNone;
  Triggers triggers = Triggers::kFire;

  bool operator==(const Backfill&) const = default;
};

// As for `pgalter rebuild TABLE… --alter … --map …`.
struct Rebuild {
  // One more table, which changes places in the same moment.
  struct Companion {
    std::string table;
    std::string alter;

    bool operator==(const Companion&) const = default;
  };
  std::string table;              // as SQL has it
  std::string alter;              // empty: the same definition
  std::vector<std::string> maps;  // 'column = expression'
  std::string order_by;           // how its rows are to lie; empty: as they do
  std::vector<Companion> companions = {};
  // Materialized views that read one of them are made anew over the new ones.
  bool rebuild_matviews = false;

  bool operator==(const Rebuild&) const = default;
};

// A table of which some columns go to another one. Triggers keep the other one up.
struct Split {
  std::string source;                  // as SQL, with its schema, as everything here
  std::string target;                  // by the name that it has until the swap
  std::vector<std::string> key;        // columns that both have
  std::vector<std::string> key_types;  // of PostgreSQL's own order
  std::vector<std::string> columns;    // that move
  std::string present;                 // of a row of the source: whether it has one in the target
  std::string view = {};               // the name that the target will have
  // What the source was planned on, as JSON; empty: kept before that was kept.
  std::string shape = {};

  bool operator==(const Split&) const = default;
};

struct Gate {
  std::string name;    // unique in the plan: `resume RUN --gate NAME`
  std::string reason;  // what has to hold before it is opened
  long soak_s = 0;     // it stays shut at least that long after the step before it
  std::string check;   // a query for one boolean; false keeps it shut; empty: nothing to ask

  bool operator==(const Gate&) const = default;
};

struct Step {
  std::string id;  // unique in the plan, stable for the same input: "1.2-validate"
  Phase phase = Phase::kExpand;
  StepKind kind = StepKind::kDdl;
  int statement = 0;             // of Plan::statements
  std::vector<std::string> sql;  // without semicolons
  Transaction transaction = Transaction::kOwn;
  // The strongest a relation; of kRebuild those that change places come first, in its order.
  std::vector<StepLock> locks;
  bool table_rewrite = false;
  bool table_scan = false;  // a whole table is read, or an index built
  std::optional<Duration> duration;
  bool backward_compatible = true;
  // What takes the step back, in this order; `undo_transaction` as for `sql`. Empty: there is
  // nothing to take back, unless it is a point of no return.
  std::vector<std::string> undo;
  Transaction undo_transaction = Transaction::kOwn;
  bool point_of_no_return = false;
  std::string explain;  // a sentence or two

  std::optional<sql::QualifiedName> index;  // of kConcurrentIndex, kDropIndex
  std::optional<Backfill> backfill;         // of kBackfill
  std::optional<Rebuild> rebuild;           // of kRebuild
  std::optional<Split> split;               // of kSplitCopy, kSplitSwap
  std::optional<Gate> gate;                 // of kGate
  std::optional<Rehearsed> rehearsed = {};

  bool operator==(const Step&) const = default;
};

// How a statement of the input is answered.
enum class Answer {
  kAsIs,       // nothing in it lasts under a lock that others wait for
  kRewritten,  // by `recipe`
  kLeastBad,   // there is no online form: the least bad one, and why
  kRefused,    // it takes a yes that nobody has given: no steps
  kFails,      // the server would refuse it: no steps
};
[[nodiscard]] constexpr bool HasSteps(Answer answer) { return answer < Answer::kRefused; }

struct Statement {
  std::string sql;  // as it was given
  int line = 1;
  Answer answer = Answer::kAsIs;
  std::string recipe;                // its name; empty: none
  std::vector<std::string> remarks;  // what is not known, what weakens, why it cannot be done
};

// Where the plan's knowledge of the database comes from.
enum class Knowledge { kNone, kDump, kLive };

struct Plan {
  int server_version = 15;  // the major
  Knowledge knowledge = Knowledge::kNone;
  // Of the relations below as they were when it was made: fingerprint.h. Empty unless the schema
  // was read from a live database: then there is nothing to compare.
  std::string fingerprint;
  std::vector<sql::QualifiedName> relations;
  std::vector<Statement> statements;
  std::vector<Step> steps;
};

// Of a step of kind kRebuild: those that change places.
[[nodiscard]] std::vector<sql::QualifiedName> RebuiltTables(const Step& step);

[[nodiscard]] std::string_view Name(Phase phase);
[[nodiscard]] std::string_view Name(StepKind kind);
[[nodiscard]] std::string_view Name(Transaction transaction);
[[nodiscard]] std::string_view Name(Answer answer);
[[nodiscard]] std::string_view Name(Knowledge knowledge);
[[nodiscard]] std::string_view Name(Backfill::Sync sync);
[[nodiscard]] std::string_view Name(Backfill::Triggers triggers);

}  // namespace pgalter::plan
