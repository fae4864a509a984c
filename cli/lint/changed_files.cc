#include "cli/lint/changed_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "cli/rejected.h"

namespace pgalter::cli {

namespace fs = std::filesystem;

namespace {

// A file in memory that takes what a program writes.
class Catch {
 public:
  explicit Catch(const char* name) : fd_(::memfd_create(name, MFD_CLOEXEC)) {}
  Catch(const Catch&) = delete;
  Catch& operator=(const Catch&) = delete;
  ~Catch() { ::close(fd_); }

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::string Text() const {
    std::string text;
    std::array<char, 65536> buffer;
    ssize_t count = 0;
    while ((count = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(text.size()))) >
           0)
      text.append(buffer.data(), static_cast<std::size_t>(count));
    return text;
  }

 private:
  int fd_;
};

struct Answer {
  int code = 0;
  std::string out;
  std::string err;
};

Answer Git(const fs::path& repository, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"git", "-C", repository.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const Catch out("out");
  const Catch err("err");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.fd(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err.fd(), STDERR_FILENO);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, "git", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    throw Rejected(run::ExitCode::kError,
                   fmt::format("--git-base: cannot start git: {}", std::strerror(failed)),
                   "install git, or leave --git-base out");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out.Text(), err.Text()};
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

void AddPaths(const fs::path& repository, const std::string& list, std::set<fs::path>& paths) {
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find('\0', at), list.size());
    paths.insert((repository / list.substr(at, end - at)).lexically_normal());
    at = end + 1;
  }
}

}  // namespace

fs::path RepositoryOf(const fs::path& path) {
  std::error_code ignored;
  fs::path at = fs::weakly_canonical(path, ignored);
  while (!at.empty()) {
    if (fs::exists(at / ".git", ignored)) return at;
    if (at == at.parent_path()) break;
    at = at.parent_path();
  }
  return {};
}

std::set<fs::path> ChangedFiles(const fs::path& repository, const std::string& ref) {
  if (repository.empty())
    throw Rejected(run::ExitCode::kUsage, "--git-base: the files are in no git repository",
                   "leave --git-base out, or name files in a repository");
  // A reference that begins with a dash would be an option to git.
  const Answer known =
      ref.starts_with("-")
          ? Answer{1, "", "no such reference"}
          : Git(repository, {"rev-parse", "--verify", "--quiet", ref + "^{commit}"});
  if (known.code != 0) {
    throw Rejected(run::ExitCode::kUsage,
                   fmt::format("--git-base: git knows no commit \"{}\"{}", ref,
                               known.err.empty() ? "" : ": " + FirstLine(known.err)),
                   "fetch it first; a CI checkout is often shallow (fetch-depth: 0, GIT_DEPTH: 0)");
  }
  const Answer base = Git(repository, {"merge-base", ref, "HEAD"});
  if (base.code != 0)
    throw Rejected(run::ExitCode::kUsage,
                   fmt::format("--git-base: HEAD and \"{}\" have no commit in common", ref),
                   "fetch the whole history: a CI checkout is often shallow (fetch-depth: 0, "
                   "GIT_DEPTH: 0)");
  std::set<fs::path> paths;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"diff", "--name-only", "-z", "--no-renames", "--diff-filter=d",
                                 FirstLine(base.out), "--"},
        std::vector<std::string>{"ls-files", "-z", "--others", "--exclude-standard"}}) {
    const Answer answer = Git(repository, arguments);
    if (answer.code != 0)
      throw Rejected(run::ExitCode::kError,
                     fmt::format("--git-base: git {}: {}", arguments[0], FirstLine(answer.err)),
                     "");
    AddPaths(repository, answer.out, paths);
  }
  return paths;
}

}  // namespace pgalter::cli
