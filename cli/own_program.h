// Another process of this program, in a session of its own: it goes on when this one ends. The
// connection is handed over in its environment (PGALTER_DSN), never in argv.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"

namespace pgalter::cli {

// What it has from this one besides its command: the configuration, and where it logs.
std::vector<std::string> SharedArguments(const Context& context);

class OwnProgram {
 public:
  // `words`: a command and its operands and options. Without output it is not seen what it says;
  // otherwise it is kept in files without names, so that it never hangs on us. Throws Rejected.
  enum class Keep { kNothing, kOutput };
  static OwnProgram Start(const Context& context, std::vector<std::string> words, Keep keep);

  OwnProgram(OwnProgram&& other) noexcept;
  OwnProgram& operator=(OwnProgram&&) = delete;
  ~OwnProgram();  // leaves the process alone

  [[nodiscard]] int process() const { return process_; }
  // Its exit code as a shell has it, 128 + signal, once it has ended.
  std::optional<int> Ended();
  // Its run is paused cleanly, after what is in flight.
  void Pause() const;
  // The last 64 kB of each.
  [[nodiscard]] std::string Out() const;
  [[nodiscard]] std::string Err() const;

 private:
  OwnProgram() = default;

  int process_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::optional<int> code_;
};

}  // namespace pgalter::cli
