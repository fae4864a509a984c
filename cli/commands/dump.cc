#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/lint/write_file.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/pg/conninfo.h"

namespace pgalter::cli {

namespace {

namespace po = boost::program_options;

constexpr int kNotFound = 127;

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("out", po::value<std::string>()->value_name("FILE"),
       "written whole or not at all; default: stdout")  //
      ("pg-dump", po::value<std::string>()->default_value("pg_dump")->value_name("PROGRAM"),
       "pg_dump, of the server's version or later");
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

// Its stderr is ours. Throws Rejected.
std::string RunDump(const Context& context) {
  std::vector<std::string> arguments{
      context.Get("pg-dump"), "--schema-only", "--exclude-schema", "pgalter", "--dbname",
      ConnectionText(context)};
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

// Without what is another each time, or with each program: so that two dumps of one schema are the
// same text.
std::string Normalised(const std::string& text) {
  std::string normalised;
  std::size_t blanks = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line(text.data() + at, end - at);
    at = end + 1;
    const bool varies = line.starts_with("-- Dumped ") || line.starts_with("\\restrict ") ||
                        line.starts_with("\\unrestrict ");
    if (varies) continue;
    blanks = line.empty() ? blanks + 1 : 0;
    if (blanks > 1 || (line.empty() && normalised.empty())) continue;
    normalised += line;
    normalised += '\n';
  }
  return normalised;
}

Task<ExitCode> Run(Context& context) {
  const std::string text = Normalised(RunDump(context));
  if (context.Has("out")) {
    WriteFile(context.Get("out"), text);
  } else {
    Print(text);
  }
  co_return ExitCode::kDone;
}

}  // namespace

extern const CommandBody kDumpCommand;
const CommandBody kDumpCommand{
    .description =
        "Prints the schema of the database as SQL, as pg_dump writes it, without pgalter's own "
        "and without what differs from one call to the next: to be kept in version control "
        "beside the migrations, and compared with `pgalter diff --to FILE`. Reads only.",
    .outputs = "text",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
