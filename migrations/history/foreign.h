#pragma once

// What another tool's own table says of its migrations, to be taken over into ours. The table is
// only read.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/guard/session.h"
#include "migrations/history/collection.h"

namespace pgalter::history {

using async::Task;

enum class ForeignState {
  kApplied,
  kUpTo,    // this one and all before it
  kHead,    // this one and all that it stands on
  kFailed,  // the tool holds it for half done
  kGone,    // was applied, and taken back
};

struct ForeignRow {
  std::string version;  // as the tool writes it
  ForeignState state = ForeignState::kApplied;
  std::string checksum;  // as the tool makes it; empty: it keeps none
  // Of sqitch: the project, and the change's name in it.
  std::string project = {};
  std::string id = {};
};

struct ForeignHistory {
  std::string table;  // qualified, as SQL
  std::string format = {};
  std::vector<ForeignRow> rows = {};
};

// Formats whose tools' tables can be read.
[[nodiscard]] std::vector<std::string_view> ReadableFormats();

// The tool's table, qualified, as SQL. `table` empty: found by its name, in whatever schema it is.
// Nothing where there is none. Throws run::Failure (usage): there is more than one.
Task<std::optional<std::string>> FindForeignTable(guard::Session& session, std::string format,
                                                  std::string table);

// The same, and what is in it. Throws run::Failure (usage) also where there is none of that tool.
Task<ForeignHistory> ReadForeign(guard::Session& session, std::string format, std::string table);

// The tool's own command that ends what it holds for half done.
[[nodiscard]] std::string HowToMend(std::string_view format, std::string_view version);

struct Adoption {
  std::vector<const Migration*> applied;  // in the order of the directory
  std::vector<std::string> failed;        // versions
  std::vector<std::string> differences;   // no file, or an edited one; sentences
};
// Its version as its tool writes it. Of sqitch, which writes ids, it is ours.
[[nodiscard]] std::string ToolVersion(const Migration& migration);

// Pure but for reading the files again whose tool keeps a checksum of its own kind.
[[nodiscard]] Adoption Adopt(const Collection& collection, const ForeignHistory& history);

// CRC-32 over the lines of a file without their ends, as Flyway has it in its table. Pure.
[[nodiscard]] std::string FlywayChecksum(std::string_view bytes);

}  // namespace pgalter::history
