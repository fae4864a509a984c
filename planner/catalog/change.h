#pragma once

// One statement's change to the schema: the body of Schema::Apply, one function a kind of
// statement. Private to planner/catalog; a Change lives for one statement.

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "planner/catalog/schema.h"

namespace pgalter::catalog {

class Change {
 public:
  explicit Change(Schema& schema) : schema_(schema) {}

  // After the statement: what it takes along stays in its place until here, so that a table that is
  // being changed cannot go away under its change.
  void Finish();

  // change_table.cc
  void operator()(const sql::ast::CreateTable& statement);
  void operator()(const sql::ast::CreateTableAs& statement);
  void operator()(const sql::ast::CreateIndex& statement);
  // alter_table.cc
  void operator()(const sql::ast::AlterTable& statement);
  // change_name.cc
  void operator()(const sql::ast::Rename& statement);
  void operator()(const sql::ast::SetSchema& statement);
  // change_drop.cc
  void operator()(const sql::ast::Drop& statement);
  // change_object.cc
  void operator()(const sql::ast::CreateView& statement);
  void operator()(const sql::ast::CreateTrigger& statement);
  void operator()(const sql::ast::CreateFunction& statement);
  void operator()(const sql::ast::AlterFunction& statement);
  void operator()(const sql::ast::CreateRule& statement);
  void operator()(const sql::ast::Policy& statement);
  void operator()(const sql::ast::CreateType& statement);
  void operator()(const sql::ast::AlterEnum& statement);
  void operator()(const sql::ast::AlterComposite& statement);
  void operator()(const sql::ast::CreateDomain& statement);
  void operator()(const sql::ast::AlterDomain& statement);
  void operator()(const sql::ast::Sequence& statement);
  void operator()(const sql::ast::CreateSchema& statement);
  void operator()(const sql::ast::Extension& statement);
  void operator()(const sql::ast::Set& statement);
  void operator()(const sql::ast::Select& statement);
  void operator()(const sql::ast::Transaction& statement);
  // Nothing that the schema holds.
  template <class Other>
  void operator()(const Other& /*statement*/) {}

 private:
  // Past that nobody's tables are meant.
  static constexpr int kMostGenerations = 64;
  static constexpr std::size_t kMostColumns = 1'600;  // the server's own limit

  [[nodiscard]] Origin NewOrigin() const {
    return schema_.in_run_ ? Origin::kInRun : Origin::kBefore;
  }

  // change_table.cc
  void CopyLike(Table& table, const Table& source, const sql::ast::CreateTable& statement);

  // --- change.cc: finding, adding, taking out ---
  Table* Find(const QualifiedName& name);
  // Made incomplete where it was not known.
  Table& Open(const QualifiedName& name);
  // A relation that is pointed at, with a schema whether it is known or not.
  [[nodiscard]] QualifiedName Target(const QualifiedName& name) const {
    return schema_.Placed(schema_.Resolve(name));
  }
  // Whether `parent` is `child` or comes from it: no statement of sense does that, and whoever
  // walks down the children relies on an end.
  [[nodiscard]] bool Circular(const QualifiedName& child, const QualifiedName& parent) const;
  Table* FindByIndex(const QualifiedName& index);
  Domain* FindDomain(const QualifiedName& name);
  Type* FindType(const QualifiedName& name);
  void Insert(Table table) { schema_.Add(std::move(table)); }
  void Erase(const QualifiedName& name);
  // Takes the table out of the edges, lets `edit` change it, puts it in again.
  template <class Action>
  void Edit(Table& table, const Action& edit) {
    const std::string key = table.name.schema.value_or("") + '.' + table.name.name;
    schema_.Unlink(key, table);
    edit(table);
    schema_.Link(key, table);
  }
  [[nodiscard]] static std::vector<QualifiedName> NamesOf(const std::vector<const Table*>& tables);
  void LinkIndex(const Table& table, const Index& index);
  void UnlinkIndex(const Index& index);
  [[nodiscard]] std::vector<Table*> ChildrenOf(const Table& table);

  [[nodiscard]] sql::ast::TypeName ResolveType(sql::ast::TypeName type) const;
  [[nodiscard]] Column MakeColumn(const sql::ast::ColumnDefinition& definition) const;

  // --- names.cc: as the server makes them ---
  [[nodiscard]] std::string RelationName(const QualifiedName& table, const std::string& columns,
                                         const std::string& label) const;
  [[nodiscard]] std::string ConstraintName(const Table& table,
                                           const sql::ast::Constraint& constraint) const;
  [[nodiscard]] std::string IndexName(const Table& table,
                                      const std::vector<sql::ast::IndexColumn>& columns,
                                      const std::vector<std::string>& included) const;
  [[nodiscard]] bool RelationExists(const std::string& schema, const std::string& name) const;

  // --- constraint.cc ---
  // One that stands at a column knows its column from here on.
  static void PutAtColumn(sql::ast::Constraint& constraint, const std::string& column);
  // To this table alone. The reference holds until its next constraint.
  Constraint& AddConstraint(Table& table, sql::ast::Constraint constraint);
  // To the children as well, where that kind is theirs, too.
  void AddConstraintDown(Table& table, sql::ast::Constraint constraint, bool recurse);
  void AddKey(Table& table, Constraint& constraint);  // and its index
  void AddIdentitySequence(Table& table, const sql::ast::ColumnDefinition& column);
  void DropConstraint(Table& table, const std::string& name, bool cascade, bool recurse,
                      int depth = 0);
  void ValidateConstraint(Table& table, const std::string& name);
  void AddIndex(Table& table, Index index);
  void DropIndex(Table& table, const std::string& name, int depth = 0);

  // --- inherit.cc ---
  // The table itself first; each once.
  [[nodiscard]] std::vector<Table*> WithDescendants(Table& table);
  [[nodiscard]] std::vector<const Table*> ParentsOf(const Table& table) const;
  [[nodiscard]] bool Inherited(const Table& table, const Column& column) const;
  [[nodiscard]] bool Inherited(const Table& table, const Constraint& constraint) const;
  void KeepWhatNoParentHas(Table& table);
  void KeepInChildren(const Table& table);
  void InheritColumns(Table& child, const Table& parent, bool partition);
  void InheritConstraint(Table& child, const Constraint& constraint, bool partition, int depth);
  void InheritIndex(Table& child, const Table& parent, const Index& index, int depth);
  void Inherit(Table& child, const Table& parent);  // constraints and indexes

  // --- partition.cc ---
  void Attach(Table& parent, const sql::ast::TableCommand& command);
  void AlterIndex(Table& owner, const QualifiedName& name, const sql::ast::TableCommand& command);
  void AttachIndex(Table& parent, const QualifiedName& index, const QualifiedName& part);
  void CompleteIndex(Table& table, Index& index, int depth);
  void Detach(Table& parent, const QualifiedName& partition);

  // --- alter_table.cc ---
  void Alter(Table& table, const sql::ast::TableCommand& command, bool recurse);
  void AlterSettings(Table& table, const sql::ast::TableCommand& command);
  void AddColumn(Table& table, const sql::ast::TableCommand& command, bool recurse);
  // With CASCADE the columns generated from it as well.
  void DropColumn(Table& table, const std::string& column, bool cascade, bool recurse,
                  int depth = 0);
  void DropColumnAlone(Table& table, const std::string& column, bool cascade);
  void SetNotNull(Table& table, const std::string& column, bool not_null);
  Column& OpenColumn(Table& table, const std::string& column);

  // --- change_name.cc ---
  void RenameColumn(Table& renamed, const std::string& from, const std::string& to);
  void RenameConstraint(Table& table, const std::string& from, const std::string& to);
  void RenameOwnColumn(Table& table, const std::string& from, const std::string& to);
  void MoveFunctions(const QualifiedName& from, const sql::ast::ArgumentTypes& arguments,
                     const QualifiedName& to);
  void RenameSchema(const std::string& from, const std::string& to);
  void MoveTable(Table& table, const QualifiedName& to);
  void MoveIndex(Table& table, const std::string& from, const QualifiedName& to);
  void RenameType(const QualifiedName& from, const QualifiedName& to);

  // --- change_drop.cc ---
  void DropTable(const QualifiedName& name, bool cascade);
  void DropType(const QualifiedName& name, bool cascade);
  void DropFunctions(const QualifiedName& name, const sql::ast::ArgumentTypes& arguments,
                     bool cascade);
  void DropSchema(const std::string& name);

  // --- change_object.cc ---
  [[nodiscard]] std::vector<sql::ColumnUse> ResolveUses(
      const std::vector<QualifiedName>& reads, const std::vector<sql::ColumnUse>& uses) const;
  void SetSearchPath(const std::string& value, bool reset, bool local);

  Schema& schema_;
  std::vector<QualifiedName> doomed_;  // relations, with all that hangs on them
};

}  // namespace pgalter::catalog
