// A dump into a sandbox, with the program that its format needs. Owners and grants are left out:
// the roles are not there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/backup/dump_format.h"
#include "engine/sandbox/sandbox.h"

namespace pgalter::backup {

struct Restored {
  std::string database;               // where it is now
  std::vector<std::string> problems;  // empty: all of it went in
};

// How it shows that it was cut off, for what can be seen from outside; none: it was not, or its own
// program finds it.
std::vector<std::string> FindTruncation(const std::filesystem::path& path, DumpFormat format);

// Into a fresh database of the sandbox; of a cluster's dump into the databases that it names, and
// the first of them is told. Blocks. Throws sandbox::SandboxError (no psql or pg_restore there).
Restored Restore(const sandbox::Sandbox& server, const std::filesystem::path& path,
                 DumpFormat format);

}  // namespace pgalter::backup
