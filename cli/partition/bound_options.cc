#include "cli/partition/bound_options.h"

#include <fmt/format.h>

#include "cli/partition/list_parts.h"
#include "cli/rejected.h"

namespace pgalter::cli {

NamedBound BoundOf(const Context& context) {
  NamedBound bound;
  partition::BoundWish& wish = bound.wish;
  wish.time_zone = context.Get("time-zone");
  if (context.Has("from")) wish.from = partition::ReadGivens(context.Get("from"), "--from");
  if (context.Has("to")) wish.to = partition::ReadGivens(context.Get("to"), "--to");
  wish.is_default = !context.options["default"].defaulted() && context.Get("default") == "yes";
  if (context.Has("values")) {
    const auto& given = context.Get<std::vector<std::string>>("values");
    if (given.size() > 1)
      throw Rejected(ExitCode::kUsage, "one partition has one list: --values once",
                     "--values NAME=VALUE[,VALUE...]");
    partition::ListPart part = MaybeNamed(given.front());
    bound.name = std::move(part.name);
    wish.values = std::move(part.values);
  }
  if (context.Has("modulus")) wish.modulus = context.Get<int>("modulus");
  if (context.Has("remainder")) wish.remainder = context.Get<int>("remainder");
  const bool hash = wish.modulus || wish.remainder;
  if (wish.from.empty() && wish.to.empty() && wish.values.empty() && !wish.is_default && !hash)
    throw Rejected(ExitCode::kUsage, "which rows belong into the partition?",
                   "--from VALUE --to VALUE, --values VALUE[,VALUE...], --modulus N --remainder R, "
                   "or --default yes");
  return bound;
}

partition::Epoch EpochOf(const Context& context) {
  if (!context.Has("epoch")) return partition::Epoch::kNone;
  const auto& unit = context.Get("epoch");
  if (unit == "seconds") return partition::Epoch::kSeconds;
  if (unit == "milliseconds") return partition::Epoch::kMilliseconds;
  throw Rejected(ExitCode::kUsage, fmt::format("--epoch \"{}\" is not known", unit),
                 "one of: seconds, milliseconds");
}

}  // namespace pgalter::cli
