// Other people's programs, as probes and hooks: started without a shell, given a text on their
// standard input, ended with all that they started when their time is over.
#pragma once

#include <string>
#include <vector>

#include "engine/async/task.h"

namespace pgalter::cli::outside {

using async::Milliseconds;
using async::Task;

struct ProgramCall {
  std::vector<std::string> words;        // the program, as PATH finds it, and its arguments
  std::vector<std::string> environment;  // NAME=VALUE, besides ours without its secrets
  std::string input;
  Milliseconds limit{30'000};
};

struct ProgramEnd {
  int code = 0;  // as a shell has it: 128 + signal; 127: it could not be started
  bool timed_out = false;
  std::string out;  // at most 64 kB of each
  std::string err;

  [[nodiscard]] bool ok() const { return code == 0 && !timed_out; }
};

// Killed when the coroutine is cancelled.
Task<ProgramEnd> RunProgram(ProgramCall call);

// "took longer than 5 s", "exit code 3: its last words", for people.
std::string Describe(const ProgramEnd& end, Milliseconds limit);

}  // namespace pgalter::cli::outside
