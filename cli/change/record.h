// Change records: changes/ID.toml, what a change is and what it means, for those who have to agree
// to it. A migration names its record by `change` in its header, or by a `ticket` that is called as
// a record is. What the record says goes with the header into the history, as "change.risk" and so
// on, so that a policy can ask for it. Files only, no database.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/history/collection.h"

namespace pgalter::cli {

struct ChangeRecord {
  std::string id;
  std::filesystem::path file;
  std::vector<std::pair<std::string, std::string>> fields;  // in the order of ChangeKeys()

  [[nodiscard]] std::string Field(std::string_view key) const;  // empty: it does not say
};

// The keys that a record can have.
[[nodiscard]] const std::vector<std::string>& ChangeKeys();

// Throws Rejected (usage): it is no name of a file.
void CheckChangeId(const std::string& id);

// Nothing: there is none of that id. Throws Rejected (usage): it cannot be read, with the reason.
[[nodiscard]] std::optional<ChangeRecord> ReadChange(const std::filesystem::path& directory,
                                                     const std::string& id);
// All, by their ids.
[[nodiscard]] std::vector<ChangeRecord> ReadChanges(const std::filesystem::path& directory);

// What a new one begins with.
[[nodiscard]] std::string NewChangeText(const std::string& title);

// The id of the record that the header names; empty: none. `change` counts whether there is such a
// record or not.
[[nodiscard]] std::string ChangeIdOf(const history::Migration& migration,
                                     const std::filesystem::path& directory);

// Adds to the headers what their records say. Throws Rejected (usage): a header names one that is
// not there.
void BindChanges(history::Collection& collection, const std::filesystem::path& directory);

}  // namespace pgalter::cli
