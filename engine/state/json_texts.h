// Texts and lists of them in what runs and steps keep, which is JSON.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::state {

// Throws where the object has no such text.
inline std::string Text(const boost::json::object& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

inline boost::json::array ArrayOf(const std::vector<std::string>& texts) {
  return boost::json::array(texts.begin(), texts.end());
}

inline std::vector<std::string> TextsOf(const boost::json::value& array) {
  std::vector<std::string> texts;
  for (const boost::json::value& text : array.as_array()) texts.emplace_back(text.as_string());
  return texts;
}

}  // namespace pgalter::state
