#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <set>

#include "batcher/partition/definition.h"
#include "batcher/partition/inbound.h"
#include "batcher/partition/prepare.h"
#include "batcher/partition/strategies.h"
#include "batcher/rebuild/prepare.h"
#include "cli/confirm.h"
#include "cli/connect.h"
#include "cli/detach.h"
#include "cli/foreground.h"
#include "cli/hold_budget.h"
#include "cli/pace.h"
#include "cli/partition/bound_options.h"
#include "cli/partition/copy_options.h"
#include "cli/partition/list_parts.h"
#include "cli/partition/show_conversion.h"
#include "cli/partition/verb.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "engine/state/schema.h"
#include "planner/sql/identifier.h"

namespace pgalter::cli {

namespace {

[[noreturn]] void Refuse(const std::string& what, const std::string& hint) {
  throw Rejected(ExitCode::kUsage, what, hint);
}

// "made, id"
bool AreColumns(const std::string& text) {
  std::vector<std::string> names;
  boost::split(names, text, boost::is_any_of(","));
  return names.size() > 1 && std::ranges::all_of(names, [](const std::string& name) {
           const auto column = sql::ParseQualifiedName(boost::trim_copy(name));
           return column && !column->schema;
         });
}

// "range(made)", "list(country)", "hash(id)", or as the server writes it: "RANGE (made)"; returns
// the column.
std::string ReadBy(const char* option, const std::string& text, partition::By& into) {
  const std::string by = boost::trim_copy(text);
  const std::size_t open = by.find('(');
  const std::string word = boost::to_lower_copy(boost::trim_copy(by.substr(0, open)));
  if (open == std::string::npos || !by.ends_with(')') ||
      (word != "range" && word != "list" && word != "hash"))
    Refuse(fmt::format("--{} \"{}\" is not understood", option, by),
           fmt::format("write --{} 'range(COLUMN)', 'list(COLUMN)' or 'hash(COLUMN)'", option));
  into = word == "range"  ? partition::By::kRange
         : word == "list" ? partition::By::kList
                          : partition::By::kHash;
  const std::string inner = boost::trim_copy(by.substr(open + 1, by.size() - open - 2));
  const auto column = sql::ParseQualifiedName(inner);
  if (AreColumns(inner))
    Refuse(fmt::format("--{} \"{}\" names several columns, and rows are parted by one", option, by),
           "--then 'hash(COLUMN)' or --then 'list(COLUMN)' parts each part again by another");
  if (!column || column->schema)
    Refuse(fmt::format("--{} \"{}\": \"{}\" is no column", option, by, inner),
           "an expression cannot part rows that unique keys tell apart");
  return column->name;
}

int ModulusOf(const Context& context) {
  constexpr int kMostParts = 1000;
  const int modulus = context.Get<int>("modulus");
  if (modulus < 1 || modulus > kMostParts)
    Refuse(fmt::format("--modulus {} is out of range", modulus), "1 to 1000");
  return modulus;
}

// Of parts of parts, which there are many of: few each, as nobody says how many.
int ThenModulusOf(const Context& context, const std::string& then) {
  constexpr int kFew = 4;
  if (context.Has("modulus")) return ModulusOf(context);
  Say(context, fmt::format("--then '{}' without --modulus: each part into {}", then, kFew));
  return kFew;
}

// With quotes and without it is the same, but for NULL.
partition::Given AsCompared(partition::Given value) {
  value.quoted = !value.IsNull();
  return value;
}

std::vector<partition::ListPart> ListsOf(const Context& context) {
  std::vector<partition::ListPart> lists;
  for (const std::string& text : context.Get<std::vector<std::string>>("values"))
    lists.push_back(ListPartOf(text));
  std::set<std::string> names;
  std::set<partition::Given> values;
  for (const partition::ListPart& list : lists) {
    if (!names.insert(list.name).second)
      Refuse(fmt::format("--values: two lists are called \"{}\"", list.name),
             "all values of one partition in one --values NAME=VALUE,VALUE...");
    for (const partition::Given& value : list.values)
      if (!values.insert(AsCompared(value)).second)
        Refuse(fmt::format("--values: \"{}\" is there twice", value.text),
               "each value belongs into one partition");
  }
  return lists;
}

// How each part is parted again: --modulus and --values belong to that then.
void ReadThen(const Context& context, partition::Division& division) {
  if (!context.Has("then")) return;
  using partition::By;
  const auto& text = context.Get("then");
  By by = By::kHash;
  const std::string column = ReadBy("then", text, by);
  if (by == By::kRange)
    Refuse("--then 'range(COLUMN)' is not done: parts are parted again by list or hash",
           "--then 'hash(COLUMN)' --modulus N, or --then 'list(COLUMN)' --values NAME=VALUE,...");
  if (by == division.by)
    Refuse(fmt::format("--then \"{}\" parts in the same way as --by", text),
           "a range or a list by hash, a range or a hash by list");
  if (by == By::kList && !context.Has("values"))
    Refuse(fmt::format("--then \"{}\": --values is missing", text), "");
  division.then_column = column;
  division.then = by == By::kHash ? partition::ByHash(column, ThenModulusOf(context, text))
                                  : partition::ByList(column, ListsOf(context));
}

// Points instead of a width: the options that say how wide ranges are, and how far they go on, say
// nothing then.
void ReadCuts(const Context& context, partition::Division& division) {
  if (division.then.by.starts_with("LIST"))
    Refuse("--values says how --then parts each part again, and --every is missing",
           "ranges between points, by --values, go with --then 'hash(COLUMN)'");
  if (context.Has("every"))
    Refuse("--every and --values both say where ranges begin", "one of the two");
  if (context.Has("epoch"))
    Refuse("--epoch says what --every counts", "--values has numbers of the column as they are");
  if (!context.options["premake"].defaulted())
    Refuse("--premake makes ranges of a width ahead, and --values has none",
           "the last range holds whatever comes, or ends where --to says");
  for (const std::string& text : context.Get<std::vector<std::string>>("values"))
    for (partition::Given& cut : CutsOf(text)) division.cuts.push_back(std::move(cut));
}

// Ranges between points that the user names.
bool AreCuts(const Context& context, const partition::Division& division) {
  return division.by == partition::By::kRange && context.Has("values") &&
         !(division.then.by.starts_with("LIST") && context.Has("every"));
}

// Each way of parting has options of its own; one that says nothing would be a mistake.
void ReadParts(const Context& context, partition::Division& division) {
  using partition::By;
  const auto only = [&](const char* option, By by, const char* example) {
    const bool then = division.then.by.starts_with(by == By::kList ? "LIST" : "HASH");
    if (by != By::kRange && then) return;  // it says how the parts are parted
    if (context.Has(option) != (division.by == by))
      Refuse(context.Has(option)
                 ? fmt::format("--{} is for another --by", option)
                 : fmt::format("--by \"{}\": --{} is missing", context.Get("by"), option),
             example);
  };
  ReadThen(context, division);
  const bool cuts = AreCuts(context, division);
  if (!cuts) {
    only("every", By::kRange,
         "--by 'range(made)' --every '1 month', or where no width counts: --by 'range(name)' "
         "--values g,n,t");
    only("values", By::kList, "--by 'list(country)' --values eu=de,fr --values us=us");
  }
  only("modulus", By::kHash, "--by 'hash(id)' --modulus 8");
  const auto never = [&](const char* option) {
    if (!context.options[option].defaulted())
      Refuse(fmt::format("--{} is not for partition convert --by '{}'", option, context.Get("by")),
             "");
  };
  if (division.by != By::kRange) never("premake");
  if (division.by != By::kRange) never("time-zone");
  if (division.by == By::kHash) never("default");
  if (cuts) ReadCuts(context, division);
  if (division.by == By::kRange && !cuts) division.every = context.Get("every");
  division.epoch = EpochOf(context);
  if (division.epoch != partition::Epoch::kNone && division.by != By::kRange)
    Refuse("--epoch is for --by 'range(COLUMN)'", "");
  if (division.by == By::kList) division.lists = ListsOf(context);
  if (division.by == By::kHash) division.modulus = ModulusOf(context);
}

// Of ranges that rows are copied into.
void ReadEnds(const Context& context, partition::Division& division) {
  for (const char* option : {"from", "to"})
    if (context.Has(option) && division.by != partition::By::kRange)
      Refuse(fmt::format("--{} is for --by 'range(COLUMN)'", option), "");
  if (context.Has("from")) division.from = partition::ReadGiven(context.Get("from"), "--from");
  if (context.Has("to")) division.to = partition::ReadGiven(context.Get("to"), "--to");
  if (division.to && !context.options["premake"].defaulted())
    Refuse("--to and --premake both say where the ranges end", "one of the two");
}

std::vector<std::string> ColumnsOf(const std::string& text) {
  std::vector<std::string> parts;
  boost::split(parts, text, boost::is_any_of(","));
  std::vector<std::string> columns;
  for (std::string& part : parts) {
    boost::trim(part);
    const auto column = sql::ParseQualifiedName(part);
    if (!column || column->schema)
      Refuse(fmt::format("--primary-key \"{}\": \"{}\" is no column", text, part),
             "--primary-key 'id, made'");
    columns.push_back(column->name);
  }
  return columns;
}

partition::Wish WishOf(const Context& context) {
  constexpr int kMostPremade = 1000;
  partition::Wish wish;
  wish.table = context.Operand(1);
  if (!context.Has("by")) Refuse("by which column?", "--by 'range(COLUMN)' --every '1 month'");
  partition::Division& division = wish.division;
  division.column = ReadBy("by", context.Get("by"), division.by);
  ReadParts(context, division);
  division.time_zone = context.Get("time-zone");
  ReadEnds(context, division);
  division.premake = context.Get<int>("premake");
  if (division.premake < 0 || division.premake > kMostPremade)
    Refuse(fmt::format("--premake {} is out of range", division.premake), "0 to 1000");
  const auto& rest = context.Get("default");
  if (rest != "yes" && rest != "no") Refuse("--default is yes or no", "");
  division.with_default = rest == "yes";
  division.default_asked = division.with_default && !context.options["default"].defaulted();
  const bool counted = division.by == partition::By::kRange && division.cuts.empty();
  if (!division.with_default && division.premake == 0 && counted)
    Refuse("--premake 0 without a default partition leaves no place for new rows", "");
  division.allow_weaker_keys = context.Has("allow-weaker-keys");
  if (context.Has("primary-key")) division.primary_key = ColumnsOf(context.Get("primary-key"));
  const auto& inbound = context.Get("inbound-fk");
  const auto means = partition::ParseInboundFk(inbound);
  if (!means)
    Refuse(fmt::format("--inbound-fk \"{}\" is not known", inbound),
           "one of: refuse, widen, trigger, drop");
  wish.inbound_fk = *means;
  return wish;
}

void RefuseOfCopies(const Context& context) {
  std::vector<std::string> options;
  boost::split(options, kCopyOptions, boost::is_any_of(" "));
  options.emplace_back("from");
  options.emplace_back("to");
  options.emplace_back("revert-window");
  options.emplace_back("hold-budget");
  options.emplace_back("rebuild-matviews");
  for (const std::string& option : options)
    if (option != "replica" && context.Has(option) && !context.options[option].defaulted())
      Refuse(fmt::format("--{} is for --strategy copy: nothing is copied", option), "");
}

// Whether rows are copied into their partitions, or the table becomes one.
bool IsCopy(const Context& context, const partition::Wish& wish) {
  const auto& strategy = context.Get("strategy");
  const bool range = wish.division.by == partition::By::kRange;
  const bool cuts = !wish.division.cuts.empty();
  if (strategy != "auto" && strategy != "attach" && strategy != "copy")
    Refuse(fmt::format("--strategy \"{}\" is not known", strategy), "one of: auto, attach, copy");
  if (strategy == "attach" && !range)
    Refuse("a table can only be attached as a range", "--strategy copy");
  // Attached as the range of everything, it would have to be copied by `split` all the same.
  if (strategy == "attach" && cuts)
    Refuse("a table can only be attached as one range, and --values cuts it into several",
           "--strategy copy");
  const bool copy = strategy == "copy" || !range || cuts;
  if (strategy == "attach") RefuseOfCopies(context);
  return copy;
}

Task<std::string> AttachRun(const Context& context, guard::Session& session,
                            partition::Prepared prepared) {
  RefuseOfCopies(context);
  prepared.pace.throttle = ThrottleOf(context);
  std::vector<partition::Cost> costs;
  if (context.Get("strategy") == "auto")
    costs = co_await partition::CompareStrategies(session, prepared);
  ShowAttach(context, prepared, costs);
  if (context.Has("dry-run")) co_return "";
  co_await state::RefusePublication(session);
  Confirm(context, fmt::format("Convert {}?", prepared.spec.table));
  co_await state::Install(session);
  co_return co_await partition::CreateRun(session, prepared);
}

// Partitions that the server takes seconds for.
constexpr std::size_t kMany = 100;

struct PreparedCopy {
  partition::Definition definition;
  rebuild::Prepared rebuild;
};

Task<PreparedCopy> PrepareCopy(const Context& context, guard::Session& session,
                               partition::Wish wish) {
  PreparedCopy copy;
  copy.definition = co_await partition::DefinitionOf(session, wish.table, wish.division);
  rebuild::Spec spec;
  spec.table = wish.table;
  spec.definition = copy.definition.script;
  spec.allow_weaker_keys = true;  // the definition was refused without consent
  spec.rebuild_matviews = context.Has("rebuild-matviews");
  ReadCopyOptions(context, spec);
  partition::Inbound inbound = co_await partition::SettleInboundOfCopy(session, wish);
  const std::vector<std::string> remarks = std::move(inbound.remarks);
  std::vector<plan::Step> before = std::move(inbound.before);
  if (!before.empty() && context.Has("canary"))
    Refuse("--canary is for the copy, and --inbound-fk widen writes before it",
           "one of the two; or --inbound-fk trigger");
  std::vector<pg::Oid> also = std::move(inbound.also);
  spec.going = partition::GoingKeysOf(std::move(inbound));
  const async::Milliseconds hold_budget = HoldBudgetOf(context);
  if (copy.definition.partitions.size() >= kMany)
    Say(context,
        fmt::format("asks the server whether it takes {}, which it makes and forgets again",
                    PartitionsOf(copy.definition)));
  copy.rebuild = co_await rebuild::Prepare(session, std::move(spec), rebuild::Checking::kRehearse);
  copy.rebuild.hold_budget = hold_budget;
  copy.rebuild.command = "partition convert";
  copy.rebuild.before = std::move(before);
  copy.rebuild.also = std::move(also);
  for (const std::string& remark : copy.definition.remarks) copy.rebuild.remarks.push_back(remark);
  for (const std::string& remark : remarks) copy.rebuild.remarks.push_back(remark);
  co_return copy;
}

Task<std::string> CopyRun(const Context& context, guard::Session& session, PreparedCopy copy) {
  ShowCopy(context, copy.definition, copy.rebuild);
  if (context.Has("dry-run")) co_return "";
  co_await state::RefusePublication(session);
  Confirm(context, fmt::format("Convert {}?", copy.rebuild.table.name));
  co_await state::Install(session);
  co_return co_await rebuild::CreateRun(session, copy.rebuild);
}

// Of --strategy auto, where the table cannot be attached, and rows that are copied may get around
// it.
Task<PreparedCopy> PrepareInstead(const Context& context, guard::Session& session,
                                  partition::Wish wish, partition::CannotAttach refused) {
  PreparedCopy copy;
  std::string why;
  try {
    copy = co_await PrepareCopy(context, session, std::move(wish));
  } catch (const run::Failure& failure) {
    why = failure.what();
  }
  if (!why.empty())
    throw run::Failure(ExitCode::kRefused, fmt::format("{}. Nor can its rows be copied instead: {}",
                                                       refused.what(), why));
  const std::string remark =
      fmt::format("rows are copied, since {} cannot be attached as it is: {}", refused.table(),
                  refused.hindrance().why);
  copy.rebuild.remarks.insert(copy.rebuild.remarks.begin(), remark);
  co_return copy;
}

Task<std::string> ConvertByAnyWay(const Context& context, guard::Session& session,
                                  partition::Wish wish) {
  std::optional<partition::CannotAttach> refused;
  std::optional<partition::Prepared> prepared;
  try {
    prepared = co_await partition::Prepare(session, wish);
  } catch (const partition::CannotAttach& error) {
    const bool may_copy = error.hindrance().instead == partition::Instead::kCopy;
    if (context.Get("strategy") != "auto" || !may_copy) throw;
    refused = error;
  }
  if (!refused) co_return co_await AttachRun(context, session, std::move(*prepared));
  PreparedCopy copy =
      co_await PrepareInstead(context, session, std::move(wish), std::move(*refused));
  co_return co_await CopyRun(context, session, std::move(copy));
}

Task<ExitCode> Run(Context& context) {
  partition::Wish wish = WishOf(context);
  const bool copy = IsCopy(context, wish);
  std::string run;
  {
    guard::Session session = co_await OpenForChange(context);
    if (copy) {
      PreparedCopy prepared = co_await PrepareCopy(context, session, std::move(wish));
      run = co_await CopyRun(context, session, std::move(prepared));
    } else {
      run = co_await ConvertByAnyWay(context, session, std::move(wish));
    }
    if (run.empty()) co_return ExitCode::kDone;
    Say(context, fmt::format("run {}", run));
  }
  if (context.Has("detach")) co_return co_await Detach(context, run);
  co_return co_await RunInForeground(context, run);
}

}  // namespace

extern const PartitionVerb kPartitionConvert;
const PartitionVerb kPartitionConvert{
    .name = "convert",
    .operand = "TABLE",
    .options =
        "by then every epoch values modulus strategy time-zone from to "
        "premake default primary-key allow-weaker-keys inbound-fk "
        "revert-window rebuild-matviews hold-budget dry-run detach",
    .copies = true,
    .run = &Run};

}  // namespace pgalter::cli
