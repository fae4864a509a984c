// node-pg-migrate, as far as its migrations are SQL: "-- Up Migration" and "-- Down Migration" in
// one file. Each way up or down is one query, in a transaction with the row of the tool's table.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>

#include "migrations/formats/format.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

constexpr std::size_t kCalendar = 17;  // of one that is a date, down to its milliseconds

// Dashes and blanks, "up migration" or "down migration", and whatever follows.
bool IsMark(std::string_view line, std::string_view direction) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  line = Trim(line);
  if (!line.starts_with("--")) return false;
  line.remove_prefix(std::min(line.find_first_not_of("- \t"), line.size()));
  if (!StartsWithWord(line, direction)) return false;
  line.remove_prefix(direction.size());
  const auto behind = Trim(line);
  return behind.size() < line.size() && StartsWithWord(behind, "migration");
}

std::optional<std::size_t> FindMark(std::string_view text, std::string_view direction) {
  Lines lines(text);
  while (const auto line = lines.Next())
    if (IsMark(Cut(text, line->span), direction)) return line->span.begin;
  return std::nullopt;
}

bool MarksText(std::string_view text) {
  return FindMark(text, "up").has_value() && FindMark(text, "down").has_value();
}

// Its directories hold nothing else: the first file tells.
bool MarksFolder(const Folder& folder) {
  for (const std::string& file : folder.files()) {
    if (file.find('/') != std::string::npos || !IsSql(file)) continue;
    const auto text = folder.Text(file);
    return text && MarksText(*text);
  }
  return false;
}

std::int64_t NumberOf(std::string_view digits) {
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

// What the tool sorts by first: both kinds of names are milliseconds to it.
std::int64_t TimeOf(std::string_view path) {
  const auto name = FileName(path);
  const auto digits = name.substr(0, name.find_first_of("_-."));
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return 0;
  if (digits.size() != kCalendar) return digits.size() > kCalendar ? 0 : NumberOf(digits);
  const auto part = [&](std::size_t at, std::size_t size) {
    return NumberOf(digits.substr(at, size));
  };
  const std::chrono::sys_days day = std::chrono::year(static_cast<int>(part(0, 4))) /
                                    std::chrono::month(static_cast<unsigned>(part(4, 2))) /
                                    std::chrono::day(static_cast<unsigned>(part(6, 2)));
  const auto time = day + std::chrono::hours(part(8, 2)) + std::chrono::minutes(part(10, 2)) +
                    std::chrono::seconds(part(12, 2)) + std::chrono::milliseconds(part(14, 3));
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Sequence Order(const Folder& folder) {
  Sequence sequence;
  for (const std::string& file : folder.files()) {
    const bool below = file.find('/') != std::string::npos;
    if (!below && IsSql(file)) sequence.up.push_back(file);
    const bool code = file.ends_with(".js") || file.ends_with(".ts") || file.ends_with(".mjs") ||
                      file.ends_with(".cjs");
    if (!below && code)
      sequence.notes.push_back(file + " is no SQL: only node-pg-migrate can run it");
  }
  std::ranges::sort(sequence.up, [](const std::string& a, const std::string& b) {
    const std::int64_t first = TimeOf(a);
    const std::int64_t second = TimeOf(b);
    return first != second ? first < second : NaturalLess(a, b);
  });
  return sequence;
}

// Each way goes to the other's mark, or to the end.
Script Read(const Source& source) {
  Script script;
  const auto up = FindMark(source.text, "up");
  const auto down = FindMark(source.text, "down");
  const auto part = [&](std::size_t begin, std::optional<std::size_t> other) {
    const std::size_t end = other && *other > begin ? *other : source.text.size();
    return lint::Part{{begin, end}, lint::Sending::kTransaction};
  };
  script.up.push_back(part(up.value_or(0), down));
  if (down) script.down.push_back(part(*down, up));
  return script;
}

}  // namespace

extern const Format kNodePgMigrate;
const Format kNodePgMigrate{.name = "node-pg-migrate",
                            .marks_folder = &MarksFolder,
                            .marks_text = &MarksText,
                            .order = &Order,
                            .read = &Read};

}  // namespace pgalter::formats
