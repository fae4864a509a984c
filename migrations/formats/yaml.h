#pragma once

// YAML as a JSON value. Pure; throws Unreadable.

#include <boost/json/value.hpp>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace pgalter::formats {

// What it is, with its line.
class Unreadable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Of one document. Every scalar is a text, but for those that are nothing.
[[nodiscard]] boost::json::value ReadYaml(std::string_view text);

// The lines at which the items of a list begin, of a document that was read: {"key": [...]}.
[[nodiscard]] std::vector<int> LinesOfYamlItems(std::string_view text, std::string_view key);

}  // namespace pgalter::formats
