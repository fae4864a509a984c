#include "cli/dump_schema.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/connect.h"
#include "cli/rejected.h"
#include "engine/pg/conninfo.h"
#include "engine/state/schemas_of_runs.h"

namespace pgalter::cli {

namespace {

constexpr int kNotFound = 127;

using Names = std::vector<std::string>;

// A trigger goes by its function, as users may call theirs like one of ours: one in schema pgalter,
// or in one of a run.
bool IsTriggerOfARun(std::string_view entry, const Names& schemas) {
  const std::string_view title = entry.substr(0, entry.find('\n'));
  if (!title.starts_with("Name: ") || title.find("; Type: TRIGGER; ") == std::string_view::npos)
    return false;
  const auto calls = [&](std::string_view schema) {
    return entry.find(fmt::format(" EXECUTE FUNCTION {}.", schema)) != std::string_view::npos ||
           entry.find(fmt::format(" EXECUTE PROCEDURE {}.", schema)) != std::string_view::npos;
  };
  return calls("pgalter") || std::ranges::any_of(schemas, calls);
}

// Triggers on users' tables are in no schema that could be left out.
std::string WithoutTriggersOfRuns(std::string_view text, const Names& schemas) {
  constexpr std::string_view kEntry = "\n--\n-- ";
  std::string kept;
  while (!text.empty()) {
    const std::size_t next = text.find(kEntry);
    const std::string_view entry = text.substr(0, next);
    if (!IsTriggerOfARun(entry, schemas)) {
      if (!kept.empty()) kept += kEntry;
      kept += entry;
    }
    if (next == std::string_view::npos) break;
    text.remove_prefix(next + kEntry.size());
  }
  return kept;
}

Task<Names> SchemasToLeaveOut(const Context& context) {
  guard::Session session = co_await OpenSession(context);
  co_return co_await state::SchemasOfRuns(session);
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

// What it prints.
std::string RunProgram(std::vector<std::string> arguments) {
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
  if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
  if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == kNotFound))
    throw Rejected(ExitCode::kUsage, fmt::format("cannot run {}", arguments.front()),
                   "install it (Debian: postgresql-client), or name it: --pg-dump");
  throw Rejected(ExitCode::kError, fmt::format("{} has failed", arguments.front()),
                 "what it said stands above");
}

}  // namespace

Task<std::string> DumpSchema(Context context, std::string pg_dump) {
  const Names of_runs = co_await SchemasToLeaveOut(context);
  std::vector<std::string> arguments{std::move(pg_dump),      "--schema-only",    "--dbname",
                                     ConnectionText(context), "--exclude-schema", "pgalter"};
  for (const std::string& schema : of_runs)
    arguments.insert(arguments.end(), {"--exclude-schema", schema});
  co_return WithoutTriggersOfRuns(RunProgram(std::move(arguments)), of_runs);
}

}  // namespace pgalter::cli
