#include "cli/partition/copy_options.h"

#include <fmt/format.h>

#include <sstream>

#include "cli/capture_options.h"
#include "cli/pace.h"
#include "cli/rejected.h"

namespace pgalter::cli {

namespace {

constexpr int kMostWorkers = 64;

}  // namespace

std::vector<std::pair<std::string, std::string>> CopyOptionsOf(const Context& context) {
  std::vector<std::pair<std::string, std::string>> given;
  std::istringstream names{std::string(kCopyOptions)};
  for (std::string name; names >> name;) {
    if (!context.Has(name) || context.options[name].defaulted()) continue;
    const boost::any& value = context.options[name].value();
    if (const auto* number = boost::any_cast<int>(&value))
      given.emplace_back(name, std::to_string(*number));
    else if (const auto* list = boost::any_cast<std::vector<std::string>>(&value))
      for (const std::string& one : *list) given.emplace_back(name, one);
    else
      given.emplace_back(name, context.Get(name));
  }
  return given;
}

void ReadCopyOptions(const Context& context, rebuild::Spec& spec) {
  const run::Pace pace = PaceOf(context);
  spec.workers = pace.workers.value_or(spec.workers);
  if (spec.workers < 1 || spec.workers > kMostWorkers)
    throw Rejected(ExitCode::kUsage, fmt::format("--workers {} is out of range", spec.workers),
                   fmt::format("1 to {}", kMostWorkers));
  spec.chunk_time = pace.chunk_time.value_or(spec.chunk_time);
  spec.throttle = pace.throttle;
  AddCanary(context, spec.throttle);
  ReadCaptureOptions(context, spec);
}

}  // namespace pgalter::cli
