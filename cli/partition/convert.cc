#include <fmt/format.h>

#include "batcher/partition/prepare.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/foreground.h"
#include "cli/human.h"
#include "cli/json_output.h"
#include "cli/partition/verb.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/schema.h"
#include "engine/watch/unit.h"
#include "planner/sql/identifier.h"

namespace pgalter::cli {

namespace {

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, what, hint);
}

// "range(made)"
std::string ColumnOf(const std::string& by) {
  constexpr std::string_view kRange = "range(";
  if (by.starts_with("list(") || by.starts_with("hash("))
    Refuse(fmt::format("--by \"{}\": a table can only be attached as a range", by),
           "partitions by list and by hash are filled by: pgalter rebuild TABLE --definition FILE");
  if (!by.starts_with(kRange) || !by.ends_with(')'))
    Refuse(fmt::format("--by \"{}\" is not understood", by), "write --by 'range(COLUMN)'");
  const std::string inner = by.substr(kRange.size(), by.size() - kRange.size() - 1);
  const auto column = sql::ParseQualifiedName(inner);
  if (!column || column->schema)
    Refuse(fmt::format("--by \"{}\": \"{}\" is no column", by, inner),
           "an expression cannot part rows that unique keys tell apart");
  return column->name;
}

bool YesOrNo(const Context& context, const char* option) {
  const auto& text = context.Get(option);
  if (text != "yes" && text != "no") Refuse(fmt::format("--{} is yes or no", option), "");
  return text == "yes";
}

partition::Wish WishOf(const Context& context) {
  constexpr int kMostPremade = 1000;
  partition::Wish wish;
  wish.table = context.Operand(1);
  if (!context.Has("by") || !context.Has("every"))
    Refuse("which ranges?", "--by 'range(COLUMN)' --every '1 month'");
  wish.column = ColumnOf(context.Get("by"));
  wish.every = context.Get("every");
  wish.time_zone = context.Get("time-zone");
  wish.premake = context.Get<int>("premake");
  if (wish.premake < 0 || wish.premake > kMostPremade)
    Refuse(fmt::format("--premake {} is out of range", wish.premake), "0 to 1000");
  wish.with_default = YesOrNo(context, "default");
  if (!wish.with_default && wish.premake == 0)
    Refuse("--premake 0 without a default partition leaves no place for new rows", "");
  wish.allow_weaker_keys = context.Has("allow-weaker-keys");
  const auto& inbound = context.Get("inbound-fk");
  if (inbound != "refuse" && inbound != "drop")
    Refuse(fmt::format("--inbound-fk \"{}\" is not known", inbound), "one of: refuse, drop");
  wish.drop_inbound_keys = inbound == "drop";
  return wish;
}

std::string Layout(const partition::Prepared& prepared) {
  const partition::Spec& spec = prepared.spec;
  std::string text = fmt::format(
      "{}, about {} rows, {}: by range of {}, every {}, in {}\n", spec.table,
      HumanCount(static_cast<std::int64_t>(prepared.rows)),
      watch::Format(static_cast<double>(prepared.bytes), watch::Unit::kBytes),
      sql::QuoteIdentifier(spec.column.name), partition::ToString(spec.period), spec.time_zone);
  text += fmt::format("  {}  up to {}: all rows of now, none is copied\n", spec.first, spec.upto);
  for (const partition::Range& range : spec.next)
    text += fmt::format("  {}  from {} to {}\n", range.name, range.from, range.to);
  if (!spec.rest.empty()) text += fmt::format("  {}  whatever fits nowhere else\n", spec.rest);
  for (const std::string& remark : prepared.remarks) text += remark + "\n";
  text += fmt::format(
      "From the CHECK of the bound until the cut-over, rows from {} on are refused: do not let "
      "the run rest for so long.\n",
      spec.upto);
  return text;
}

void Show(const Context& context, const partition::Prepared& prepared) {
  const bool dry_run = context.Has("dry-run");
  if (context.output == Output::kJson) {
    if (!dry_run) return;
    boost::json::array remarks;
    for (const std::string& remark : prepared.remarks) remarks.emplace_back(remark);
    boost::json::object object = partition::ToJson(prepared.spec);
    object["version"] = 1;
    object["remarks"] = std::move(remarks);
    object.erase("settings");
    PrintJson(object);
    return;
  }
  if (dry_run) {
    Print(Layout(prepared) + "nothing was written\n");
  } else {
    fmt::print(stderr, "{}", Layout(prepared));
  }
}

Task<ExitCode> Run(Context& context) {
  partition::Wish wish = WishOf(context);
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    const partition::Prepared prepared = co_await partition::Prepare(session, std::move(wish));
    Show(context, prepared);
    if (context.Has("dry-run")) co_return ExitCode::kDone;
    co_await state::RefusePublication(session);
    Confirm(context, fmt::format("Convert {}?", prepared.spec.table));
    co_await state::Install(session);
    run = co_await partition::CreateRun(session, prepared);
    Say(context, fmt::format("run {}", run));
  }
  if (context.Has("detach")) co_return co_await Detach(context, run);
  co_return co_await RunInForeground(context, run);
}

}  // namespace

extern const PartitionVerb kPartitionConvert;
const PartitionVerb kPartitionConvert{.name = "convert", .run = &Run};

}  // namespace pgalter::cli
