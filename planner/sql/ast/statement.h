#pragma once

// One statement as values: what the planner and lint look at. No protobuf, no library: only what
// the text says, with nothing resolved.
//
// A statement that is not modelled is Other, with its command tag; never an error.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "planner/sql/ast/command.h"
#include "planner/sql/ast/index.h"
#include "planner/sql/ast/object.h"
#include "planner/sql/ast/table.h"
#include "planner/sql/result.h"

namespace pgalter::sql::ast {

using Body =
    std::variant<CreateTable, CreateTableAs, AlterTable, CreateIndex, Reindex, Cluster, Vacuum,
                 RefreshMaterializedView, Rename, SetSchema, Drop, CreateView, CreateTrigger,
                 CreateFunction, AlterFunction, CreateRule, Policy, CreateType, AlterEnum,
                 AlterComposite, CreateDomain, AlterDomain, Sequence, CreateStatistics, Grant,
                 CommentOn, Publication, MoveTablespace, Extension, CreateSchema, Transaction, Set,
                 LockTable, Truncate, Modify, Select, Copy, DoBlock, Call, Other>;

struct Statement {
  Body body;
  std::string tag;  // as the server would report it: "ALTER TABLE", "CREATE INDEX"
  // Names longer than the 63 bytes that the server keeps, as written; in the values they are cut.
  std::vector<std::string> long_names;

  template <class T>
  [[nodiscard]] const T* As() const {
    return std::get_if<T>(&body);
  }
};

// Reads exactly one statement, with or without its semicolon; comments around it are allowed.
[[nodiscard]] Result<Statement> ReadStatement(std::string_view text);

// The statements inside a PL/pgSQL body, in their order: the SQL statements, and literals given to
// EXECUTE; COMMIT and ROLLBACK among them. `dynamic` counts EXECUTEs whose text is computed.
struct Embedded {
  std::vector<std::string> statements;
  std::vector<int> lines;     // of each, 1-based, in the body
  std::vector<bool> in_loop;  // of each: LOOP, FOR, WHILE or FOREACH is around it
  int dynamic = 0;
};
[[nodiscard]] Result<Embedded> ReadPlpgsql(const DoBlock& block);
[[nodiscard]] Result<Embedded> ReadPlpgsql(const CreateFunction& function);

}  // namespace pgalter::sql::ast
