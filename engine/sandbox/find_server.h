// Which PostgreSQL a sandbox runs: the folder with initdb, pg_ctl and postgres, and its version.
// May be called by anyone; reads the file system and runs `postgres --version`.
#pragma once

#include <filesystem>
#include <string>

namespace pgalter::sandbox {

struct ServerBinaries {
  std::filesystem::path bin_dir;
  std::string version;  // "15.13"
  int major = 0;
};

// Where to look, in this order. A folder that somebody named is the only one tried.
struct ServerSearch {
  std::string pg_bin;                                    // option
  std::string environment;                               // PGALTER_PG_BIN
  std::string pg_config = "pg_config";                   // asked for --bindir
  std::filesystem::path debian = "/usr/lib/postgresql";  // VERSION/bin, the newest
};

// `pg_bin` may be empty; PGALTER_PG_BIN is read here.
ServerSearch DefaultSearch(const std::string& pg_bin);

// Throws SandboxError that names every place looked at.
ServerBinaries FindServer(const ServerSearch& search);

}  // namespace pgalter::sandbox
