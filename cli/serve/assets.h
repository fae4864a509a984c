// The files of the page, embedded at build.
#pragma once

#include <string_view>

namespace pgalter::cli::serve {

struct Asset {
  std::string_view name;
  std::string_view type;
  std::string_view text;
};

const Asset* FindAsset(std::string_view name);  // nullptr: there is none

}  // namespace pgalter::cli::serve
