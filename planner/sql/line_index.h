#pragma once

// Lines and columns from offsets, both 1-based. A line ends with LF, CRLF or CR. A byte order mark
// takes no column, as in an editor.

#include <cstddef>
#include <string_view>
#include <vector>

namespace pgalter::sql {

class LineIndex {
 public:
  // The text has to outlive the index.
  explicit LineIndex(std::string_view text);

  struct Place {
    int line = 1;
    int column = 1;        // in characters
    int utf16_column = 1;  // in UTF-16 code units
  };
  // An offset past the end is taken for the end. Takes the same time wherever the offset is, also
  // on a line of megabytes.
  [[nodiscard]] Place At(std::size_t offset) const;
  // Without its end; empty if there is no such line.
  [[nodiscard]] std::string_view Line(int line) const;

 private:
  struct Count {
    std::size_t characters = 0;
    std::size_t utf16_units = 0;
  };
  [[nodiscard]] Count CountTo(std::size_t offset) const;

  std::string_view text_;
  std::vector<std::size_t> starts_;
  std::vector<Count> counts_;  // before every kStride bytes
};

}  // namespace pgalter::sql
