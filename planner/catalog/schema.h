#pragma once

// The virtual schema: what a database looks like after the statements seen so far. Built from a
// migration history, a schema dump (both by Apply) or the live catalog (by Add), and then changed
// by the statements that are looked at.
//
// A value: copies are independent. Names without a schema are looked up in the search path,
// "public" at first; SET search_path changes it. Temporary tables live in the schema "pg_temp".
//
// BEGIN, ROLLBACK and savepoints are followed: what is rolled back was never there. A transaction
// that nobody wrote down (a migration tool's own) is not known here.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "planner/catalog/objects.h"
#include "planner/catalog/undo.h"
#include "planner/sql/ast/statement.h"

namespace pgalter::catalog {

// Whether something holds: what was not shown may be either.
enum class Truth { kNo, kYes, kUnknown };

class Schema {
 public:
  // From here on what is created is new (Origin::kInRun), and what there is counts as there before.
  void BeginRun();
  // A connection of its own: the search path is the default, temporary tables are gone.
  void BeginSession();

  // What the statement does to the schema, if it succeeds. What is not modelled changes nothing.
  void Apply(const sql::ast::Statement& statement);

  // Whole objects, from the live catalog or a list of sizes. Not within a transaction.
  void Add(Table table);
  void Add(Domain domain);
  void Add(Type type);
  void Add(Function function);
  void AddSchema(const std::string& name) { schemas_.insert(name); }
  void AddExtension(const std::string& name) { extensions_.insert(name); }
  // Of the database: where what names no tablespace is. Empty: unknown.
  void SetTablespace(std::string name) { tablespace_ = std::move(name); }
  [[nodiscard]] const std::string& tablespace() const { return tablespace_; }
  // Everything that exists has been added or applied: what cannot be found does not exist.
  void SetComplete() { complete_ = true; }
  [[nodiscard]] bool complete() const { return complete_; }
  // What was there before the run has been shown, as far as anybody can tell: some of it was.
  [[nodiscard]] bool ShowsHistory() const;
  void SetSize(const QualifiedName& table, std::int64_t rows, std::optional<std::int64_t> bytes);

  // nullptr: not known, which is not the same as not there.
  [[nodiscard]] const Table* FindTable(const QualifiedName& name) const;
  [[nodiscard]] const Index* FindIndex(const QualifiedName& name) const;
  [[nodiscard]] const Table* TableOfIndex(const QualifiedName& index) const;
  [[nodiscard]] const Domain* FindDomain(const sql::ast::TypeName& type) const;
  [[nodiscard]] const Type* FindType(const sql::ast::TypeName& type) const;
  [[nodiscard]] const Function* FindFunction(const std::vector<std::string>& name,
                                             int arguments) const;
  // By "schema.name"; functions by their name alone.
  [[nodiscard]] const std::map<std::string, Table>& tables() const { return tables_; }
  [[nodiscard]] const std::unordered_map<std::string, Domain>& domains() const { return domains_; }
  [[nodiscard]] const std::unordered_map<std::string, Type>& types() const { return types_; }
  [[nodiscard]] const std::unordered_map<std::string, std::vector<Function>>& functions() const {
    return functions_;
  }

  // As the schema knows it: the schema filled in from the search path. Stays as it is when unknown.
  [[nodiscard]] QualifiedName Resolve(const QualifiedName& name) const;
  [[nodiscard]] QualifiedName ResolveType(const QualifiedName& type) const;  // a domain, too
  // Where an object of this name would be made.
  [[nodiscard]] QualifiedName Placed(const QualifiedName& name) const;

  // Made in the run that is looked at: empty, and without clients.
  [[nodiscard]] bool IsNew(const QualifiedName& table) const;

  // Direct ones. Children: partitions, and the tables that inherit from it.
  [[nodiscard]] std::vector<const Table*> Partitions(const QualifiedName& parent) const;
  [[nodiscard]] std::vector<const Table*> Children(const QualifiedName& parent) const;
  [[nodiscard]] const Table* DefaultPartition(const QualifiedName& parent) const;
  // Foreign keys that point at this table, with the table that has them.
  [[nodiscard]] std::vector<std::pair<const Table*, const Constraint*>> References(
      const QualifiedName& target) const;
  // Views and materialized views that read it, directly.
  [[nodiscard]] std::vector<const Table*> Views(const QualifiedName& table) const;
  [[nodiscard]] std::vector<std::pair<const Table*, const Column*>> ColumnsOfType(
      const QualifiedName& type) const;
  // Tables made OF a composite type.
  [[nodiscard]] std::vector<const Table*> TypedTables(const QualifiedName& type) const;
  [[nodiscard]] std::vector<const Table*> OwnedSequences(const QualifiedName& table) const;
  // Everything in one schema.
  [[nodiscard]] std::vector<const Table*> TablesIn(const std::string& schema) const;

  // The columns that it would have here; none: that cannot be told.
  [[nodiscard]] std::vector<ViewOutput> OutputsOf(const sql::ast::CreateView& view) const;

  [[nodiscard]] Truth HasSchema(const std::string& name) const;
  [[nodiscard]] bool HasExtension(const std::string& name) const {
    return extensions_.contains(name);
  }
  // A valid CHECK, NOT NULL or key proves it.
  [[nodiscard]] Truth NotNullProven(const QualifiedName& table, const std::string& column) const;

 private:
  friend class Change;
  // From what is pointed at to the tables that point at it, all by "schema.name". May name tables
  // that point there no longer: whoever follows an edge looks.
  using Edges = std::unordered_map<std::string, std::set<std::string>>;

  [[nodiscard]] const Table* Get(const std::string& key) const;
  void Link(const std::string& key, const Table& table);
  void Unlink(const std::string& key, const Table& table);

  // Called before the object of that name is made, changed or taken out.
  void NoteTable(const std::string& key);
  void NoteDomain(const std::string& key);
  void NoteType(const std::string& key);
  void NoteFunctions(const std::string& name);
  void BeginTransaction();
  void Rollback(std::size_t level);  // to what was when this level began, which stays

  std::map<std::string, Table> tables_;  // by "schema.name"
  std::unordered_map<std::string, Domain> domains_;
  std::unordered_map<std::string, Type> types_;
  std::unordered_map<std::string, std::vector<Function>> functions_;  // by name without schema
  std::unordered_map<std::string, std::string> index_tables_;         // index to its table
  Edges children_;
  Edges references_;
  Edges readers_;
  Edges typed_;  // from a type
  Edges sequences_;
  std::unordered_map<std::string, std::string> defaults_;  // parent to its default partition
  std::vector<std::string> search_path_{"public"};
  std::optional<std::vector<std::string>> path_after_transaction_;  // SET LOCAL ends with it
  std::set<std::string> schemas_;
  std::set<std::string> extensions_;
  std::string tablespace_;
  std::vector<UndoLevel> undo_;  // the open transaction, then its savepoints
  // What may have something in it that is new in this run; may name what is there no longer.
  std::vector<std::string> new_tables_;
  std::vector<std::string> new_types_;
  std::vector<std::string> new_functions_;
  bool has_temporary_ = false;
  bool in_run_ = false;
  bool complete_ = false;
};

}  // namespace pgalter::catalog
