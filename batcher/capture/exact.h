// Values that must be the same in a column of another type. The server rounds a number to its
// scale, a moment to its precision, and trims blanks without a word where a column is assigned to.
#pragma once

#include <optional>
#include <string>

namespace pgalter::capture {

struct OtherType {
  std::string from;
  std::string to;
  bool compared = true;  // the first has an operator =; otherwise what it prints is compared
};

// The value, of type `from`, or for a value that would be another one as `to` an error of class 22.
// `column`: quoted, as the error names it.
std::string Exactly(const std::string& value, const std::string& column, const OtherType& types);

// What such an error says, in words for people; nullopt: the message is of another one.
std::optional<std::string> InexactIn(const std::string& message);

}  // namespace pgalter::capture
