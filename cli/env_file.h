// --env-file: NAME=VALUE a line, as tools keep it in .env. It is read only where it is named.
#pragma once

#include <string>

namespace pgalter::cli {

// Puts into the environment what is not there yet. Lines that are empty or begin with # are left
// out, "export " in front of a name too; a value may stand in quotes, and nothing in it is
// replaced. Throws Rejected (usage): it cannot be read, or a line is none of these.
void ReadEnvFile(const std::string& path);

// DATABASE_URL as libpq reads it: without the driver that SQLAlchemy names
// (postgresql+psycopg2://). Empty: there is none.
std::string DatabaseUrl();

// Whether others than its owner may read it.
bool IsOpenToOthers(const std::string& path);

}  // namespace pgalter::cli
