// Context: what one invocation was asked for, settled: flag over environment over file over
// default.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "engine/pg/connection.h"

namespace pgalter::cli {

enum class Output { kText, kJson };  // other formats of results are text here
enum class Color { kNo, kYes };

struct Context {
  const Command* command = nullptr;
  boost::program_options::variables_map options;  // the command's own
  std::vector<std::string> operands;
  Output output = Output::kText;
  Color color = Color::kNo;         // on stderr
  Color result_color = Color::kNo;  // on stdout
  bool yes = false;
  bool help = false;
  std::string dsn;       // as libpq has it; may hold a password, so it is never printed
  std::string log_file;  // empty: none

  [[nodiscard]] bool Has(const std::string& option) const { return options.count(option) > 0; }
  template <class T = std::string>
  [[nodiscard]] const T& Get(const std::string& option) const {
    return options[option].as<T>();
  }
  // Empty where it was left out.
  [[nodiscard]] std::string Operand(std::size_t index) const {
    return index < operands.size() ? operands[index] : std::string();
  }
  [[nodiscard]] pg::ConnectOptions Connect() const;
};

}  // namespace pgalter::cli
