#include "cli/dump_schema.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "cli/rejected.h"
#include "engine/pg/conninfo.h"

namespace pgalter::cli {

namespace {

constexpr int kNotFound = 127;

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
  std::vector<std::string> arguments{pg_dump,   "--schema-only", "--exclude-schema",
                                     "pgalter", "--dbname",      ConnectionText(context)};
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

}  // namespace pgalter::cli
