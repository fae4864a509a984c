#pragma once

// Names, kinds of objects and option lists, as trees have them. Private to planner/sql.

#include <string>
#include <string_view>
#include <vector>

#include "planner/sql/ast/object.h"
#include "planner/sql/grammar.h"

namespace pgalter::sql::ast {

using Nodes = google::protobuf::RepeatedPtrField<pg_query::Node>;

[[nodiscard]] QualifiedName ReadName(const pg_query::RangeVar& relation);
// Of String nodes: name, schema.name, or with a database before both.
[[nodiscard]] QualifiedName ReadName(const Nodes& parts);
// Of whatever a DROP or COMMENT has: a list of parts, a single part, a type, a function.
[[nodiscard]] QualifiedName ReadName(const pg_query::Node& object);
[[nodiscard]] std::vector<QualifiedName> ReadNames(const Nodes& relations);
[[nodiscard]] std::vector<QualifiedName> ReadTables(
    const std::vector<const pg_query::RangeVar*>& tables);

// The String nodes in it.
[[nodiscard]] std::vector<std::string> Strings(const Nodes& nodes);
[[nodiscard]] const Nodes& Items(const pg_query::Node& list);

// The name of a role; CURRENT_USER and its kin as keywords in lower case.
[[nodiscard]] std::string ReadRole(const pg_query::RoleSpec& role);

[[nodiscard]] Persistence ReadPersistence(const pg_query::RangeVar& relation);
[[nodiscard]] ObjectKind ReadKind(pg_query::ObjectType type);
[[nodiscard]] RelationKind ReadRelationKind(pg_query::ObjectType type);

// An option's value as text; "" where none is written.
[[nodiscard]] std::string OptionText(const pg_query::DefElem& option);
// Whether an option is there and not switched off.
[[nodiscard]] bool IsOn(const Nodes& options, std::string_view name);
[[nodiscard]] const pg_query::DefElem* FindOption(const Nodes& options, std::string_view name);
// "fillfactor" or "toast.autovacuum_enabled" to its value.
[[nodiscard]] std::map<std::string, std::string> ReadOptions(const Nodes& options);

// ASCII letters alone have a case here.
[[nodiscard]] std::string LowerCase(std::string text);

}  // namespace pgalter::sql::ast
