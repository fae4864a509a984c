// Command: one verb of the command line. What all of them share is in cli/commands.def; what one of
// them is, its options and what it does, in cli/commands/NAME.cc.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <limits>
#include <string_view>

#include "engine/async/task.h"
#include "engine/run/failure.h"

namespace pgalter::cli {

using async::Task;
using run::ExitCode;

struct Context;

inline constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

struct CommandBody {
  std::string_view description;  // sentences; an empty line parts two paragraphs
  std::size_t most_operands = 0;
  std::size_t least_operands = 0;
  std::string_view outputs = "text json";  // what --output can be, with blanks between
  bool reads_config = false;               // pgalter.toml has more for it than connections
  bool takes_files = false;                // its operands; for shells
  std::string_view words = {};  // what the first operand can be, with blanks between; for shells
  void (*add_options)(boost::program_options::options_description& options) = nullptr;
  Task<ExitCode> (*run)(Context& context) = nullptr;
};

struct Command {
  std::string_view name;
  std::string_view group;
  std::string_view summary;
  std::string_view usage;  // after the name
  const CommandBody* body;
};

}  // namespace pgalter::cli
