// Plain text tables: columns padded with blanks, no lines, so that they can be cut and grepped.
#pragma once

#include <string>
#include <vector>

namespace pgalter::cli {

// Counted as a terminal shows it: characters, not bytes.
std::size_t DisplayWidth(const std::string& text);

// What would change the terminal's state or start a line is shown escaped: names come from users.
std::string Printable(const std::string& text);

class Table {
 public:
  explicit Table(std::vector<std::string> header);
  void Add(std::vector<std::string> row);
  [[nodiscard]] int rows() const { return static_cast<int>(rows_.size()) - 1; }
  [[nodiscard]] std::string Text() const;  // ends with a line break

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace pgalter::cli
