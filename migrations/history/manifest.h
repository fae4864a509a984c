#pragma once

// pgalter.sum: the checksums of a directory's migrations, to be kept in version control with them.
// Two branches that both add a migration change its first line, and so meet in a conflict: that is
// what it is for. Pure.
//
//   chain <sha256 of all lines below it, each with its end>
//   # format <the formats that the files were read as; older manifests lack this line>
//   <sha256 of the file, line ends and byte order mark aside>  <file>

#include <string>
#include <string_view>
#include <vector>

#include "migrations/history/collection.h"

namespace pgalter::history {

inline constexpr const char* kManifest = "pgalter.sum";

[[nodiscard]] std::string WriteManifest(const std::vector<Migration>& migrations);

struct Mismatch {
  std::string file;  // empty: the manifest itself
  std::string what;
};
// What the text says that the directory does not. None: it is as it should be.
[[nodiscard]] std::vector<Mismatch> CheckManifest(std::string_view text,
                                                  const std::vector<Migration>& migrations);

}  // namespace pgalter::history
