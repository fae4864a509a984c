#include "cli/partition/list_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/rejected.h"

namespace pgalter::cli {

std::vector<std::string> ValuesOf(std::string text) {
  std::vector<std::string> values;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    values.push_back(text.substr(0, comma));
    text = comma == std::string::npos ? "" : text.substr(comma + 1);
    const std::string& value = values.back();
    if (value.starts_with('\'') || value.starts_with('"'))
      throw Rejected(
          run::ExitCode::kUsage,
          fmt::format("--values: {} would be a value with its quotes: values are written "
                      "as they are, and end at a comma",
                      value),
          "for values with a comma, and for NULL: ALTER TABLE … ATTACH PARTITION, or "
          "pgalter rebuild --definition");
  }
  return values;
}

partition::ListPart ListPartOf(const std::string& text) {
  partition::ListPart part;
  const std::size_t at = text.find('=');
  if (at != std::string::npos) part.name = text.substr(0, at);
  if (at != std::string::npos) part.values = ValuesOf(text.substr(at + 1));
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
  std::vector<std::string> cuts = ValuesOf(text);
  const bool some = !cuts.empty() && text.back() != ',' && std::ranges::count(cuts, "") == 0;
  if (!some)
    throw Rejected(run::ExitCode::kUsage, fmt::format("--values \"{}\" has an empty point", text),
                   "--values g,n,t");
  return cuts;
}

}  // namespace pgalter::cli
