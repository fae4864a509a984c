#include "cli/partition/list_parts.h"

#include <fmt/format.h>

#include "cli/rejected.h"

namespace pgalter::cli {

partition::ListPart ListPartOf(const std::string& text) {
  partition::ListPart part;
  const std::size_t at = text.find('=');
  if (at != std::string::npos) part.name = text.substr(0, at);
  std::string rest = at == std::string::npos ? "" : text.substr(at + 1);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    part.values.push_back(rest.substr(0, comma));
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
  }
  if (part.name.empty() || part.values.empty())
    throw Rejected(run::ExitCode::kUsage,
                   fmt::format("--values \"{}\" is not NAME=VALUE[,VALUE...]", text), "");
  return part;
}

}  // namespace pgalter::cli
