// The pgalter binary as a child process: its environment, its output, its end. The binary's path is
// the compile definition PGALTER_BINARY of whoever includes this.
//
// posix_spawn, because tests start it while their threads of users are at work.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace pgalter::test {

using Words = std::vector<std::string>;

struct Ran {
  int code = -1;  // as a shell has it: 128 + signal
  std::string out;
  std::string err;
};

inline constexpr int kKilled = 128 + 9;

// Killed with its object, if it still runs.
class [[nodiscard]] Program {
 public:
  // `environment` is added to the test's own, as NAME=VALUE.
  Program(const std::string& binary, const Words& arguments, const Words& environment = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  void Signal(int signal) const;
  [[nodiscard]] bool running();
  [[nodiscard]] Ran SoFar() const;  // what it has said, while it runs
  // Past three limits it is killed, and std::runtime_error tells what it had said.
  Ran Wait(std::chrono::seconds limit = std::chrono::seconds(60));

 private:
  std::string what_;
  std::filesystem::path folder_;
  pid_t pid_ = -1;
  int code_ = -1;  // of its end
};

}  // namespace pgalter::test
