#include "cli/change/record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>

#include "cli/config_file.h"
#include "cli/rejected.h"
#include "engine/run/failure.h"

namespace pgalter::cli {

namespace fs = std::filesystem;

namespace {

struct Key {
  const char* name;
  const char* asks;
};

constexpr std::array kKeys{
    Key{"title", "what it is, in a few words"},
    Key{"description", "what is changed, and why"},
    Key{"requester", "who wants it"},
    Key{"risk", "low, medium or high"},
    Key{"impact", "whom and what it touches, and how users notice"},
    Key{"security", "what it means for security and for personal data"},
    Key{"compliance", "which rules it falls under, and what they ask"},
    Key{"tests", "how it was tried"},
    Key{"rollback", "how it is taken back, and until when"},
    Key{"rto", "how long that may take"},
};

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Rejected(run::ExitCode::kUsage, what, hint);
}

std::string HeaderOf(const history::Migration& migration, std::string_view key) {
  const auto found = std::ranges::find(migration.header, key, &formats::HeaderKey::key);
  return found == migration.header.end() ? "" : found->value;
}

bool IsChangeId(const std::string& id) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  };
  return !id.empty() && id.size() <= 100 && id[0] != '.' && id[0] != '-' &&
         std::ranges::all_of(id, fits);
}

fs::path FileOf(const fs::path& directory, const std::string& id) {
  return directory / (id + ".toml");
}

toml::table Parsed(const fs::path& file) {
  try {
    return toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    Refuse(fmt::format("{}:{}: {}", file.string(), error.source().begin.line, error.description()),
           "");
  }
}

ChangeRecord ReadRecord(const fs::path& file, const std::string& id) {
  const toml::table table = Parsed(file);
  CheckKeys(table, file.string(), "a change record", ChangeKeys());
  ChangeRecord record{id, file, {}};
  for (const Key& key : kKeys) {
    const toml::node* node = table.get(key.name);
    if (node == nullptr) continue;
    const auto text = node->value<std::string>();
    if (!text || !node->is_string())
      Refuse(fmt::format("{}: {} is no text", file.string(), key.name),
             fmt::format("{} = \"…\"", key.name));
    if (!text->empty()) record.fields.emplace_back(key.name, *text);
  }
  if (record.Field("title").empty())
    Refuse(fmt::format("{} has no title", file.string()), "title = \"…\"");
  const std::string risk = record.Field("risk");
  if (!risk.empty() && risk != "low" && risk != "medium" && risk != "high")
    Refuse(fmt::format("{}: the risk \"{}\" is not known", file.string(), risk),
           "one of: low, medium, high");
  return record;
}

std::string Quoted(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return "\"" + quoted + "\"";
}

}  // namespace

std::string ChangeRecord::Field(std::string_view key) const {
  const auto found = std::ranges::find(
      fields, key, [](const auto& field) { return std::string_view(field.first); });
  return found == fields.end() ? "" : found->second;
}

const std::vector<std::string>& ChangeKeys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> names;
    for (const Key& key : kKeys) names.emplace_back(key.name);
    return names;
  }();
  return keys;
}

void CheckChangeId(const std::string& id) {
  if (IsChangeId(id)) return;
  Refuse(fmt::format("\"{}\" is no id of a change: letters, digits, - _ and . make one", id),
         "pgalter change new SHOP-123 --title \"full names\"");
}

std::optional<ChangeRecord> ReadChange(const fs::path& directory, const std::string& id) {
  std::error_code ignored;
  const fs::path file = FileOf(directory, id);
  if (!IsChangeId(id) || !fs::exists(file, ignored)) return std::nullopt;
  return ReadRecord(file, id);
}

std::vector<ChangeRecord> ReadChanges(const fs::path& directory) {
  std::vector<ChangeRecord> records;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& file = entry->path();
    if (file.extension() != ".toml" || !IsChangeId(file.stem().string())) continue;
    records.push_back(ReadRecord(file, file.stem().string()));
  }
  std::ranges::sort(records, {}, &ChangeRecord::id);
  return records;
}

std::string NewChangeText(const std::string& title) {
  std::string text;
  for (const Key& key : kKeys) {
    const std::string value = std::string_view(key.name) == "title" ? Quoted(title) : "\"\"";
    text += fmt::format("{} = {}  # {}\n", key.name, value, key.asks);
  }
  return text;
}

std::string ChangeIdOf(const history::Migration& migration, const fs::path& directory) {
  std::string id = HeaderOf(migration, "change");
  if (!id.empty()) return id;
  std::string ticket = HeaderOf(migration, "ticket");
  std::error_code ignored;
  if (IsChangeId(ticket) && fs::exists(FileOf(directory, ticket), ignored)) return ticket;
  return "";
}

void BindChanges(history::Collection& collection, const fs::path& directory) {
  for (history::Migration& migration : collection.migrations) {
    if (migration.header.empty()) continue;
    const std::string id = ChangeIdOf(migration, directory);
    if (id.empty()) continue;
    const auto record = ReadChange(directory, id);
    if (!record)
      Refuse(fmt::format("{}: its header names the change {}, and there is no {}",
                         (collection.directory / migration.file).string(), id,
                         FileOf(directory, id).string()),
             IsChangeId(id) ? fmt::format("pgalter change new {} --title \"…\"", id) : "");
    if (HeaderOf(migration, "change").empty()) migration.header.push_back({"change", id, 0});
    for (const auto& [key, value] : record->fields)
      migration.header.push_back({"change." + key, value, 0});
  }
}

}  // namespace pgalter::cli
