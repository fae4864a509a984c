#include "migrations/history/manifest.h"

#include <map>
#include <optional>
#include <set>

#include "migrations/formats/text.h"
#include "migrations/history/sha256.h"

namespace pgalter::history {

namespace {

constexpr std::string_view kChain = "chain ";
constexpr std::string_view kFormat = "# format ";
constexpr std::size_t kDigits = 64;

struct Entry {
  std::string sum;
  std::string file;
};

std::string FormatsOf(const std::vector<Migration>& migrations) {
  std::set<std::string> formats;
  for (const Migration& migration : migrations) formats.insert(migration.format);
  std::string text;
  for (const std::string& format : formats) text += (text.empty() ? "" : " ") + format;
  return text;
}

std::string LinesOf(const std::vector<Migration>& migrations) {
  std::string lines = std::string(kFormat) + FormatsOf(migrations) + "\n";
  for (const Migration& migration : migrations)
    lines += migration.sums.text + "  " + migration.file + "\n";
  return lines;
}

}  // namespace

std::string WriteManifest(const std::vector<Migration>& migrations) {
  const std::string lines = LinesOf(migrations);
  return std::string(kChain) + Sha256(lines) + "\n" + lines;
}

std::vector<Mismatch> CheckManifest(std::string_view text,
                                    const std::vector<Migration>& migrations) {
  std::vector<Mismatch> found;
  std::vector<Entry> entries;
  std::string chain;
  std::optional<std::string> format;
  std::string below;
  formats::Lines lines(text);
  for (int number = 1; const auto line = lines.Next(); ++number) {
    const auto here = formats::Cut(text, line->span);
    if (number == 1 && here.starts_with(kChain)) {
      chain = here.substr(kChain.size());
      continue;
    }
    below += std::string(here) + "\n";
    if (here.starts_with(kFormat)) {
      format = here.substr(kFormat.size());
      continue;
    }
    if (here.size() <= kDigits + 2 || here.substr(kDigits, 2) != "  ") {
      found.push_back({"", "line " + std::to_string(number) + " is no checksum and file"});
      continue;
    }
    entries.push_back(
        {std::string(here.substr(0, kDigits)), std::string(here.substr(kDigits + 2))});
  }
  if (chain != Sha256(below))
    found.push_back(
        {"", "its first line does not fit the others: it was edited by hand, or merged"});
  std::map<std::string, std::string> sums;
  for (const Entry& entry : entries) sums[entry.file] = entry.sum;
  std::vector<std::string> order;
  std::set<std::string> there;
  for (const Migration& migration : migrations) {
    const auto entry = sums.find(migration.file);
    if (entry == sums.end()) {
      found.push_back({migration.file, "is not in it"});
    } else if (entry->second != migration.sums.text) {
      found.push_back({migration.file, "was edited since"});
    }
    order.push_back(migration.file);
    there.insert(migration.file);
  }
  std::vector<std::string> listed;
  for (const Entry& entry : entries) {
    if (!there.contains(entry.file))
      found.push_back({entry.file, "is in it, and not in the directory"});
    listed.push_back(entry.file);
  }
  const std::string format_now = FormatsOf(migrations);
  if (found.empty() && format.value_or(format_now) != format_now)
    found.push_back({"", "it was written for files of format " + *format +
                             ", and they are read as " + format_now + " now"});
  if (found.empty() && listed != order)
    found.push_back({"", "it has the files in another order than they are applied in"});
  return found;
}

}  // namespace pgalter::history
