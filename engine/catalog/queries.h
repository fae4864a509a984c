// The SQL that reads the system catalogs. Objects are joined by their oid; columns come by number.
// Private to engine/catalog.
#pragma once

#include <string>
#include <vector>

namespace pgalter::live {

// The order of the statements, which is that of their results.
enum class Part {
  kSchemas,      // name
  kRelations,    // oid, schema, name, kind, persistence, row security, owner, tablespace,
                 // access method, bound, partition key, type's schema, type's name, rows,
                 // replica identity
  kColumns,      // relation, number, name, type's text, not null, default, identity, generated,
                 // its expression, collation, local, default's text, statistics target
  kParents,      // child, parent; of tables and indexes
  kConstraints,  // relation, domain, name, kind, valid, deferrable, deferred, no inherit, local,
                 // parent's name, target, on update, on delete, columns, target's columns, text,
                 // enforced, MATCH FULL, columns of SET NULL (…)
  kIndexes,      // oid, relation, schema, name, unique, valid, method, columns, number of those in
                 // the key, options, of a constraint, text where there is more to it,
                 // NULLS NOT DISTINCT, tablespace, "name=value" of each storage parameter
  kTriggers,  // relation, name, columns, function's schema, function's name, text with a condition
  kPolicies,  // relation, name
  kPolicyReads,  // relation, column's name
  kRules,        // relation, name
  kViewReads,    // view, schema, name, column
  kSequences,    // sequence, table's schema, table's name, column
  kTypes,        // oid, schema, name, kind, relation, base type's text, not null, default
  kEnumValues,   // type, value
  kFunctions,    // schema, name, arguments, those with a default, volatility, language, body, types
  kExtensions,   // name
  kTablespace,   // name: the database's
};
inline constexpr int kParts = static_cast<int>(Part::kTablespace) + 1;

// `server_version` as 150020.
[[nodiscard]] std::vector<std::string> CatalogQueries(int server_version);

// oid, bytes with indexes and TOAST. Looks at the files, so it takes ACCESS SHARE.
extern const char* const kSizes;
// The same from the server's last count of pages, without a lock.
extern const char* const kSizesByPages;

}  // namespace pgalter::live
