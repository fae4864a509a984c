#include "tests/support/lint_case.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace pgalter::test {

namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  const std::ifstream file(path);
  if (!file) throw std::runtime_error(path.string() + " cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

fs::path Folder() { return fs::path(PGALTER_SOURCE_DIR) / "tests" / "lint"; }

LintScript ReadScript(const fs::path& path) {
  LintScript script;
  script.text = Read(path);
  std::istringstream lines(script.text);
  std::string line;
  while (std::getline(lines, line) && line.starts_with("-- ")) {
    const auto colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(3, colon - 3);
    const std::string value = line.substr(colon + 2);
    if (key == "server") {
      script.server = std::stoi(value);
    } else if (key == "before") {
      script.before = std::stoi(value);
    } else if (key == "sending") {
      script.sending = value;
    } else if (key == "proves") {
      script.proves.push_back(value);
    }
  }
  constexpr std::string_view kSendings[] = {"one-by-one", "transaction", "one-query"};
  if (std::ranges::find(kSendings, script.sending) == std::end(kSendings))
    throw std::runtime_error(path.string() + ": sending " + script.sending);
  return script;
}

}  // namespace

std::vector<LintCase> ReadLintCases() {
  std::vector<LintCase> cases;
  for (const auto& entry : fs::directory_iterator(Folder())) {
    if (!entry.is_directory() || entry.path().filename() == "corpus") continue;
    LintCase found;
    found.rule = entry.path().filename();
    found.bad = ReadScript(entry.path() / "bad.sql");
    found.good = ReadScript(entry.path() / "good.sql");
    cases.push_back(std::move(found));
  }
  std::ranges::sort(cases, {}, &LintCase::rule);
  return cases;
}

std::string ReadLintBase() { return Read(Folder() / "base.sql"); }

}  // namespace pgalter::test
