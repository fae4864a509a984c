#include "cli/partition/list_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

std::vector<std::string> Split(std::string rest) {
  std::vector<std::string> values;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    values.push_back(rest.substr(0, comma));
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
  }
  return values;
}

}  // namespace

partition::ListPart ListPartOf(const std::string& text) {
  partition::ListPart part;
  const std::size_t at = text.find('=');
  if (at != std::string::npos) part.name = text.substr(0, at);
  if (at != std::string::npos) part.values = Split(text.substr(at + 1));
  if (part.name.empty() || part.values.empty())
    throw Rejected(run::ExitCode::kUsage,
                   fmt::format("--values \"{}\" is not NAME=VALUE[,VALUE...]", text), "");
  return part;
}

std::vector<std::string> CutsOf(const std::string& text) {
  if (text.find('=') != std::string::npos)
    throw Rejected(run::ExitCode::kUsage,
                   fmt::format("--values \"{}\" gives a name, as lists have it: ranges are called "
                               "after the point that they begin with",
                               text),
                   "--values g,n,t makes the ranges up to g, g to n, n to t, and from t on");
  std::vector<std::string> cuts = Split(text);
  const bool some = !cuts.empty() && text.back() != ',' && std::ranges::count(cuts, "") == 0;
  if (!some)
    throw Rejected(run::ExitCode::kUsage, fmt::format("--values \"{}\" has an empty point", text),
                   "--values g,n,t");
  return cuts;
}

}  // namespace pgalter::cli
