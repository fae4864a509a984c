#pragma once

// What one statement does to a database in use: locks, rewrites, scans, and why it would fail. Made
// from measured facts (facts/ beside this file), and compared with live servers by the tests.
//
// What the schema does not say is not made up: work that depends on it is kPossible, a lock on a
// relation that nobody has shown (the other side of an unknown foreign key) is missing.

#include <optional>
#include <string>
#include <vector>

#include "planner/catalog/schema.h"
#include "planner/locks/lock_mode.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::locks {

enum class Certainty {
  kCertain,
  kPossible,  // depends on what the schema does not say; `Effect::unknown` says on what
};

// Why a relation is rewritten, scanned, or an index built. One a rule of lint.
enum class Reason {
  kVolatileDefault,
  kSerialColumn,
  kIdentityColumn,
  kGeneratedColumn,
  kConstrainedDomain,
  kTypeChange,            // the rows themselves
  kTypeChangeIndex,       // rows stay, an index is built anew
  kTypeChangeCheck,       // rows stay, a CHECK is verified again
  kTypeChangeForeignKey,  // the key is verified again, on both sides
  kPersistence,           // SET LOGGED, SET UNLOGGED
  kVacuumFull,
  kCluster,
  kTablespace,
  kAccessMethod,
  kGenerationExpression,  // SET EXPRESSION
  kTruncate,
  kIndexBuild,
  kReindex,
  kRefresh,
  kForeignKey,  // a Work for each side, the referencing one first
  kCheck,
  kUnique,
  kPrimaryKey,
  kExclusion,
  kNotNull,
  kDomainConstraint,
  kPartitionBound,    // the partition that is attached
  kDefaultPartition,  // must not hold rows of the new one
  kValidate,
  kRows,  // UPDATE, DELETE, INSERT … SELECT, SELECT
};

struct Lock {
  catalog::QualifiedName relation;
  LockMode mode = LockMode::kAccessShare;
  bool index = false;  // the relation is an index: listed where its lock is above its table's
};

struct Work {
  enum class Kind { kRewrite, kScan, kBuild };
  Kind kind = Kind::kScan;
  // The table; of kBuild too. Where a parent is named, the work on its partitions and children is
  // one Work, of the parent.
  catalog::QualifiedName relation;
  std::vector<catalog::QualifiedName> parts;  // those of its descendants that are known
  Reason reason = Reason::kRows;
  Certainty certainty = Certainty::kCertain;
  int command = -1;     // of an ALTER TABLE; -1: the whole statement
  std::string subject;  // the column, constraint or index that it is about
  std::string unknown;  // of kPossible: what decides, such as "the type of t.c is not known"
};

// Why the server refuses it.
enum class Refusal {
  kInTransaction,            // must not run inside one
  kConcurrentOnPartitioned,  // CREATE INDEX CONCURRENTLY on a partitioned table
  kNotValidOnPartitioned,    // foreign key before 18
  kUsingIndexOnPartitioned,
  kUsingIndexUnfit,  // partial, expression, DESC, not unique, not valid
  kColumnInUse,      // type change: view, rule, policy, generated column, trigger, partition key
  kRequiredColumn,   // NOT NULL without a value for the rows there are
  kNotValidUnsupported,  // UNIQUE, EXCLUDE … NOT VALID
  kDependants,           // DROP without CASCADE
  kUnknownObject,        // of a complete schema
  kExists,
  kDetachWithDefault,  // DETACH CONCURRENTLY beside a default partition
  kVersion,            // newer than the server
  kOther,
};

struct Failure {
  Refusal refusal = Refusal::kOther;
  Certainty certainty = Certainty::kCertain;
  int command = -1;
  std::string subject;
  std::string detail;  // one clause: "view v reads the column"
};

struct Effects {
  std::vector<Lock> locks;  // the strongest a relation; those that exist before the statement only
  std::vector<Work> works;
  std::vector<Failure> failures;
  bool outside_transaction = false;  // must not run inside one: CONCURRENTLY, VACUUM
};

// `server_version`: the major, 13 to 18 (19 and later count as 18).
[[nodiscard]] Effects EffectsOf(const sql::ast::Statement& statement, const catalog::Schema& schema,
                                int server_version);

// Whether an expression may give another value from row to row: a walk over every call in it.
struct VolatilityVerdict {
  catalog::Truth is_volatile = catalog::Truth::kNo;
  std::string function;  // that decides
};
[[nodiscard]] VolatilityVerdict JudgeVolatility(const sql::ast::Expression& expression,
                                                const catalog::Schema& schema);

// What keeps an expression of this table out of an index or a generated column, where that is
// certain: "now() is not immutable". nullopt: nothing, or it cannot be told.
[[nodiscard]] std::optional<std::string> WhyNotImmutable(
    const sql::ast::Expression& expression, const std::vector<catalog::Column>& columns,
    const catalog::Schema& schema);

// What ALTER COLUMN … TYPE does to the rows and to a plain btree index on the column.
enum class TypeChange { kNothing, kIndexRebuild, kRewrite, kNeedsUsing, kImpossible, kUnknown };
[[nodiscard]] TypeChange JudgeTypeChange(const sql::ast::TypeName& from,
                                         const sql::ast::TypeName& to, int server_version);

}  // namespace pgalter::locks
