// Definition file: the users' own statements for the new tables. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::rebuild {

struct DefinitionStatement {
  std::string moved;  // to the run's schema
  std::string shown;  // how people find it again: its beginning and its line
};

// `table`: quoted, with its schema. Throws run::Failure for whatever is not a CREATE TABLE of that
// name, a partition of it, or an index or ALTER TABLE on one of these.
std::vector<DefinitionStatement> ReadDefinitionFile(std::string_view text, const std::string& table,
                                                    const std::string& schema);

// What it makes, for people: "CREATE TABLE in line 3, 2 partitions, 1 index". Of a text that was
// read before.
std::string DescribeDefinition(std::string_view text, const std::string& table);

// How much it makes: what the text says, so that the server may make more (LIKE … INCLUDING
// INDEXES). Of a text that was read before.
struct DefinitionSize {
  std::int64_t tables = 0;   // with partitions
  std::int64_t indexes = 0;  // with those on partitions, without those of partitioned partitions
};
DefinitionSize SizeOf(std::string_view text, const std::string& table);

// One of several tables whose definitions stand in one file.
struct DefinedTable {
  std::string name;  // quoted, with its schema
  // Of its schema in the search_path, beginning with 1; nullopt: it is not there.
  std::optional<int> place;
};

// For each table, in their order, the file with nothing in it but that table's statements: all else
// is blank, so that lines keep their numbers. Empty: the file says nothing of it. A name without a
// schema that several have is that of the one whose schema comes first in the search_path. Throws
// run::Failure for what belongs to none of them, besides what the file of one table is refused for.
std::vector<std::string> DivideDefinitionFile(std::string_view text,
                                              const std::vector<DefinedTable>& tables);

}  // namespace pgalter::rebuild
