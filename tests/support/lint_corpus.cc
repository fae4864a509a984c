#include "tests/support/lint_corpus.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace pgalter::test {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

fs::path Folder() { return fs::path(PGALTER_SOURCE_DIR) / "tests" / "lint" / "corpus"; }

std::string Read(const fs::path& path) {
  const std::ifstream file(path);
  if (!file) throw std::runtime_error(path.string() + " cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Takes one line of the head; false: it is none.
bool TakeHead(CorpusCase& found, const std::string& line) {
  const auto colon = line.find(": ");
  if (!line.starts_with("-- ") || colon == std::string::npos) return false;
  const std::string key = line.substr(3, colon - 3);
  const std::string value = line.substr(colon + 2);
  if (key == "truth") {
    found.risky = value.starts_with("risky: ");
    if (!found.risky && !value.starts_with("safe: ")) return false;
    found.reason = value.substr(value.find(": ") + 2);
  } else if (key == "base") {
    found.base = value;
  } else if (key == "sending") {
    found.sending = value;
  } else if (key == "at") {
    found.at = value;
  } else if (key == "proves") {
    found.proves.push_back(value);
  } else if (key == "server") {
    found.server = std::stoi(value);
  } else if (key == "until") {
    found.until = std::stoi(value);
  } else {
    return false;
  }
  return true;
}

std::string WithoutReturn(std::string line) {
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

CorpusCase ReadCase(const fs::path& path) {
  CorpusCase found;
  found.name = path.stem();
  std::string text = Read(path);
  if (text.starts_with(kByteOrderMark)) {
    text.erase(0, kByteOrderMark.size());
    found.migration = kByteOrderMark;
  }
  std::istringstream lines(text);
  std::string* section = &found.migration;
  std::string line;
  bool head = true;
  while (std::getline(lines, line)) {
    const std::string bare = WithoutReturn(line);
    if (head && (head = !bare.empty())) {
      if (!TakeHead(found, bare)) throw std::runtime_error(path.string() + ": " + bare);
    } else if (bare == "-- history") {
      section = &found.history;
    } else if (bare == "-- rows") {
      section = &found.rows;
    } else if (bare == "-- migration") {
      section = &found.migration;
    } else {
      *section += line + "\n";
    }
  }
  if (found.base.empty() || found.risky == found.proves.empty())
    throw std::runtime_error(path.string() + ": no base, or proofs that do not fit");
  return found;
}

}  // namespace

int CorpusCase::Judged(const std::vector<std::string>& statements) const {
  const auto ends_transaction = [](const std::string& sql) {
    return sql.starts_with("COMMIT") || sql.starts_with("END");
  };
  const auto count = static_cast<int>(statements.size());
  if (at.empty()) {
    for (int i = count - 1; i >= 0; --i)
      if (!ends_transaction(statements[static_cast<std::size_t>(i)])) return i;
    return -1;
  }
  const auto place = std::ranges::find_if(
      statements, [&](const std::string& sql) { return sql.find(at) != std::string::npos; });
  return place == statements.end() ? -1 : static_cast<int>(place - statements.begin());
}

std::vector<CorpusCase> ReadCorpus() {
  std::vector<CorpusCase> cases;
  for (const char* kind : {"risky", "safe"}) {
    for (const auto& entry : fs::directory_iterator(Folder() / kind)) {
      cases.push_back(ReadCase(entry.path()));
      if (cases.back().risky != (std::string_view(kind) == "risky"))
        throw std::runtime_error(entry.path().string() + " lies in the wrong folder");
    }
  }
  std::ranges::sort(cases, {}, [](const CorpusCase& c) { return std::pair(!c.risky, c.name); });
  return cases;
}

CorpusBase ReadCorpusBase(const std::string& name) {
  CorpusBase base;
  base.schema = Read(Folder() / "base" / (name + ".sql"));
  base.rows = Read(Folder() / "base" / (name + ".rows.sql"));
  std::istringstream lines(base.rows);
  std::string line;
  constexpr std::string_view kClient = "-- client: ";
  while (std::getline(lines, line))
    if (line.starts_with(kClient)) base.clients.push_back(line.substr(kClient.size()));
  return base;
}

}  // namespace pgalter::test
