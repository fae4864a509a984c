#include "cli/lint/table_sizes.h"

#include <fmt/format.h>

#include <charconv>

#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::string_view kMarks = "\t,";

std::string_view Trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::optional<std::int64_t> Number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Takes a number off the end of the line, and the mark before it: a quoted name may have commas.
std::optional<std::int64_t> TakeNumber(std::string_view& line) {
  const auto mark = line.find_last_of(kMarks);
  if (mark == std::string_view::npos) return std::nullopt;
  const auto number = Number(Trim(line.substr(mark + 1)));
  if (number) line = line.substr(0, mark);
  return number;
}

[[noreturn]] void RejectLine(const std::string& file, int line, const std::string& why) {
  throw Rejected(run::ExitCode::kUsage, fmt::format("{}:{}: {}", file, line, why),
                 "a line is a table, its rows and perhaps its bytes: public.orders,1000000");
}

}  // namespace

std::vector<TableSize> ParseTableSizes(const std::string& file, std::string_view text) {
  std::vector<TableSize> sizes;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const auto last = TakeNumber(line);
    if (!last) RejectLine(file, number, "there is no number at the end of the line");
    const auto before = TakeNumber(line);
    auto table = sql::ParseQualifiedName(Trim(line));
    if (!table)
      RejectLine(file, number,
                 fmt::format("\"{}\" is no table's name: {}", Trim(line), table.error().message));
    TableSize size{*table, before.value_or(*last), std::nullopt};
    if (before) size.bytes = last;
    if (size.rows >= 0) sizes.push_back(std::move(size));
  }
  return sizes;
}

}  // namespace pgalter::cli
