#include "tests/fault/schema_dump.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <sstream>

namespace pgalter::test {

bool HasDump() { return std::filesystem::exists(SharedServer().bin_dir() / "pg_dump"); }

std::vector<std::string> Dump(const FreshDatabase& database) {
  const std::string command = (SharedServer().bin_dir() / "pg_dump").string() +
                              " -s -N pgalter -d '" + database.conninfo() + "' 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    text.append(buffer.data(), got);
  EXPECT_EQ(pclose(pipe), 0) << text;
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    if (!line.empty() && !line.starts_with("--") && line.find("restrict ") != 1 &&
        line.find("unrestrict ") != 1)
      lines.push_back(line);
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
