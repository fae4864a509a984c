#pragma once

// Liquibase's changelogs as migrations, a changeset each: XML, YAML, JSON and formatted SQL, with
// what they include, in the order in which Liquibase runs them. Changes in SQL (sql, sqlFile) are
// read; a change of any other kind is a problem, since only Liquibase knows its SQL.

#include <filesystem>
#include <string>

#include "migrations/history/collection.h"

namespace pgalter::convert {

// Whether the directory has a changelog of Liquibase.
[[nodiscard]] bool HasChangelog(const std::filesystem::path& directory);

// A version is "file::id::author", as Liquibase tells changesets apart. `changelog`: the file to
// begin with, from the directory; empty: the one that no other includes.
[[nodiscard]] history::Collection ReadLiquibase(const std::filesystem::path& directory,
                                                const std::string& changelog);

}  // namespace pgalter::convert
