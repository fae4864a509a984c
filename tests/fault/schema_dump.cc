#include "tests/fault/schema_dump.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "tests/support/schema_text.h"

namespace pgalter::test {

std::vector<std::string> Dump(const FreshDatabase& database) {
  const std::string text = SchemaText(database, {{"pgalter"}});
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    if (!line.empty() && !line.starts_with("--")) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> Difference(const std::vector<std::string>& before,
                                    const std::vector<std::string>& after) {
  std::vector<std::string> lines;
  std::vector<std::string> signed_lines;
  std::ranges::set_difference(before, after, std::back_inserter(lines));
  for (const std::string& line : lines) signed_lines.push_back("- " + line);
  lines.clear();
  std::ranges::set_difference(after, before, std::back_inserter(lines));
  for (const std::string& line : lines) signed_lines.push_back("+ " + line);
  return signed_lines;
}

}  // namespace pgalter::test
