#include "cli/dump_schema.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <regex>
#include <string_view>
#include <vector>

#include "cli/rejected.h"
#include "engine/pg/conninfo.h"

namespace pgalter::cli {

namespace {

constexpr int kNotFound = 127;

// What runs have, as long as there is a way back: pgalter_1a2b3c4d, of its second table with _2, of
// the tables that left with _old. `?` is a whole character in such a pattern.
constexpr const char* kSchemasOfRuns = "pgalter_[0-9a-f]{8}(_[0-9]+){0,1}(_old){0,1}";

// By its function, as users may call a trigger of theirs like one of ours.
bool IsTriggerOfARun(std::string_view entry) {
  static const std::regex ours("EXECUTE (FUNCTION|PROCEDURE) pgalter(_[0-9a-f]{8}(_[0-9]+)?)?\\.",
                               std::regex::optimize);
  const std::string_view title = entry.substr(0, entry.find('\n'));
  return title.starts_with("Name: ") && title.find("; Type: TRIGGER; ") != std::string_view::npos &&
         std::regex_search(entry.begin(), entry.end(), ours);
}

// Triggers on users' tables are in no schema that could be left out.
std::string WithoutTriggersOfRuns(std::string_view text) {
  constexpr std::string_view kEntry = "\n--\n-- ";
  std::string kept;
  while (!text.empty()) {
    const std::size_t next = text.find(kEntry);
    const std::string_view entry = text.substr(0, next);
    if (!IsTriggerOfARun(entry)) {
      if (!kept.empty()) kept += kEntry;
      kept += entry;
    }
    if (next == std::string_view::npos) break;
    text.remove_prefix(next + kEntry.size());
  }
  return kept;
}

// As libpq reads it; a password goes by the environment, which others cannot read.
std::string ConnectionText(const Context& context) {
  const pg::ConnectOptions connect = context.Connect();
  std::string text;
  for (const auto& [keyword, value] : connect.conninfo.keywords()) {
    if (keyword == "password") {
      ::setenv("PGPASSWORD", value.c_str(), 1);
      continue;
    }
    std::string quoted;
    for (const char c : value) {
      if (c == '\'' || c == '\\') quoted += '\\';
      quoted += c;
    }
    text += fmt::format("{}='{}' ", keyword, quoted);
  }
  return text;
}

}  // namespace

std::string DumpSchema(const Context& context, const std::string& pg_dump) {
  std::vector<std::string> arguments{pg_dump,    "--schema-only",        "--exclude-schema",
                                     "pgalter",  "--exclude-schema",     kSchemasOfRuns,
                                     "--dbname", ConnectionText(context)};
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0)
    throw Rejected(ExitCode::kError, fmt::format("no pipe: {}", std::strerror(errno)), "");
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe[1], STDOUT_FILENO);
    ::close(pipe[0]);
    ::close(pipe[1]);
    ::execvp(pointers[0], pointers.data());
    ::_exit(kNotFound);
  }
  ::close(pipe[1]);
  std::string text;
  std::array<char, 65536> buffer{};
  for (ssize_t got = 0; child > 0 && (got = ::read(pipe[0], buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  ::close(pipe[0]);
  int status = 0;
  if (child > 0) ::waitpid(child, &status, 0);
  if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return WithoutTriggersOfRuns(text);
  if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == kNotFound))
    throw Rejected(ExitCode::kUsage, fmt::format("cannot run {}", arguments.front()),
                   "install it (Debian: postgresql-client), or name it: --pg-dump");
  throw Rejected(ExitCode::kError, fmt::format("{} has failed", arguments.front()),
                 "what it said stands above");
}

}  // namespace pgalter::cli
