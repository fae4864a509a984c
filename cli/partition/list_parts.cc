#include "cli/partition/list_parts.h"

#include <fmt/format.h>

#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

// What is put behind the table's name has to leave some of that.
constexpr std::size_t kLongestName = 48;

std::string AfterName(const std::string& text, const std::string& name) {
  return name.empty() ? text : text.substr(name.size() + 1);
}

}  // namespace

partition::ListPart MaybeNamed(const std::string& text) {
  partition::ListPart part;
  part.name = partition::NameBefore(text);
  if (part.name.size() > kLongestName)
    throw Rejected(run::ExitCode::kUsage,
                   fmt::format("--values \"{}\": the name has {} bytes, and stands behind the "
                               "table's in one of 63",
                               text, part.name.size()),
                   fmt::format("at most {}; a value with = in it is in quotes", kLongestName));
  part.values = partition::ReadGivens(AfterName(text, part.name), "--values");
  return part;
}

partition::ListPart ListPartOf(const std::string& text) {
  partition::ListPart part = MaybeNamed(text);
  if (part.name.empty())
    throw Rejected(run::ExitCode::kUsage,
                   fmt::format("--values \"{}\" is not NAME=VALUE[,VALUE...]", text), "");
  return part;
}

partition::Givens CutsOf(const std::string& text) {
  if (!partition::NameBefore(text).empty())
    throw Rejected(
        run::ExitCode::kUsage,
        fmt::format("--values \"{}\" gives a name, as lists have it: ranges are called "
                    "after the point that they begin with",
                    text),
        "--values g,n,t makes the ranges up to g, g to n, n to t, and from t on; a point "
        "with = in it is in quotes");
  return partition::ReadGivens(text, "--values");
}

}  // namespace pgalter::cli
