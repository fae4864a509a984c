#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <string_view>
#include <utility>

#include "batcher/partition/inspection.h"
#include "batcher/partition/moment.h"
#include "cli/columns.h"
#include "cli/connect.h"
#include "cli/human.h"
#include "cli/inspect/inventory.h"
#include "cli/inspect/ranges_picture.h"
#include "cli/json_output.h"
#include "cli/rejected.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/watch/unit.h"
#include "planner/sql/identifier.h"

namespace pgalter::cli {

namespace {

namespace json = boost::json;
namespace po = boost::program_options;
using partition::Inspection;
using partition::Member;

json::value Text(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

json::array ToJson(const std::vector<Member>& members) {
  json::array array;
  for (const Member& member : members)
    array.push_back({{"name", member.name},
                     {"bound", member.bound},
                     {"from", Text(member.from)},
                     {"to", Text(member.to)},
                     {"default", member.is_default},
                     {"partitioned", member.divided},
                     {"detach_pending", member.pending},
                     {"rows", member.counted ? json::value(static_cast<std::int64_t>(member.rows))
                                             : json::value(nullptr)},
                     {"bytes", member.bytes}});
  return array;
}

json::value ToJson(const partition::InDefault& rest) {
  if (rest.name.empty()) return nullptr;
  return {{"name", rest.name},
          {"rows", rest.rows},
          {"more", rest.more},
          {"least", rest.least},
          {"greatest", rest.greatest}};
}

json::object ToJson(const partition::NextRanges& next) {
  json::array ranges;
  for (const partition::Range& range : next.ranges)
    ranges.push_back({{"from", range.from}, {"to", range.to}});
  return {{"until", next.until}, {"ranges", std::move(ranges)}, {"unknown", next.unknown}};
}

json::value ToJson(const std::optional<partition::Partman>& partman) {
  if (!partman) return nullptr;
  return {{"readable", !partman->unreadable},
          {"interval", partman->interval},
          {"premake", partman->premake},
          {"retention", partman->retention},
          {"automatic", partman->automatic}};
}

json::object ToJson(const Inspection& inspection) {
  json::array gaps;
  for (const partition::Gap& gap : inspection.gaps)
    gaps.push_back({{"from", gap.from}, {"to", gap.to}});
  json::array missing;
  for (const partition::MissingIndex& index : inspection.missing)
    missing.push_back({{"index", index.index}, {"partition", index.partition}});
  return {{"version", 1},
          {"table", inspection.whole.table.name},
          {"by", inspection.by},
          {"partitions", ToJson(inspection.members)},
          {"gaps", std::move(gaps)},
          {"missing_remainders", inspection.refused},
          {"default", ToJson(inspection.rest)},
          {"missing_indexes", std::move(missing)},
          {"next", ToJson(inspection.next)},
          {"partman", ToJson(inspection.partman)}};
}

// As short as it can be: midnights are days.
std::string EndText(const std::optional<std::string>& end, const char* endless) {
  if (!end) return endless;
  for (const std::string_view midnight : {" 00:00:00+00", " 00:00:00"})
    if (end->ends_with(midnight)) return end->substr(0, end->size() - midnight.size());
  return *end;
}

std::string BoundText(const Member& member) {
  constexpr std::string_view kForValues = "FOR VALUES ";
  std::string text = member.bound;
  const std::string times = partition::TimesOfBound(member.bound);
  if (!times.empty()) {
    text = times;
  } else if (member.is_range) {
    text =
        fmt::format("{} to {}", EndText(member.from, "MINVALUE"), EndText(member.to, "MAXVALUE"));
  } else if (text.starts_with(kForValues)) {
    text.erase(0, kForValues.size());
  }
  if (member.divided) text += ", partitioned";
  return text;
}

// Keys of types without a scale, as text, have an order alone: each range is as wide as any other.
std::vector<Member> Placed(std::vector<Member> members) {
  const auto scaled = [](const Member& member) { return member.begin || member.end; };
  if (std::ranges::any_of(members, scaled)) return members;
  double place = 0;
  std::optional<std::string> end;
  for (Member& member : members) {
    if (!member.is_range) continue;
    if (member.from && end && member.from != end) ++place;
    if (member.from) member.begin = place;
    if (member.to) member.end = ++place;
    end = member.to;
  }
  return members;
}

std::string PictureOf(const Inspection& inspection) {
  Picture picture;
  for (const Member& member : Placed(inspection.members)) {
    if (!member.is_range || (!member.begin && !member.end)) continue;
    picture.bars.push_back(
        {member.relname, member.begin, member.end, member.rows >= 1 || !member.counted});
    // Of uuids their times.
    const std::string times = partition::TimesOfBound(member.bound);
    const std::size_t to = times.find(" to ");
    const std::string from =
        to == std::string::npos ? EndText(member.from, "") : times.substr(0, to);
    const std::string until =
        to == std::string::npos ? EndText(member.to, "") : times.substr(to + 4);
    if (picture.first.empty()) picture.first = member.from ? from : until;
    picture.last = member.to ? until : from;
  }
  const std::string& type = inspection.whole.type;
  if (type == "date" || type == "uuid" || type.starts_with("timestamp"))
    picture.now =
        static_cast<double>(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  return Draw(picture, ColumnsOfOutput());
}

// Of an index that very many lack, the first of them.
std::vector<std::string> MissingIndexes(const std::vector<partition::MissingIndex>& missing) {
  constexpr std::ptrdiff_t kMost = 5;
  std::vector<std::string> lines;
  for (auto first = missing.begin(); first != missing.end();) {
    const auto end = std::find_if(first, missing.end(),
                                  [&](const auto& other) { return other.index != first->index; });
    const auto shown = end - first > kMost ? first + 1 : end;
    for (auto each = first; each != shown; ++each)
      lines.push_back(
          fmt::format("{} has no valid part of index {}", each->partition, each->index));
    if (shown != end) lines.push_back(fmt::format("neither have {} others", end - shown));
    first = end;
  }
  return lines;
}

std::string Notes(const Inspection& inspection) {
  std::string text;
  const auto note = [&text](const std::string& line) { text += "note: " + line + "\n"; };
  for (const partition::Gap& gap : inspection.gaps)
    note(fmt::format("between {} and {} there is no partition", gap.from, gap.to));
  if (!inspection.refused.empty()) note(inspection.refused);
  for (const Member& member : inspection.members)
    if (member.pending)
      note(fmt::format("{} is half detached: pgalter partition detach {} --yes ends it",
                       member.name, member.name));
  const partition::InDefault& rest = inspection.rest;
  if (rest.rows > 0)
    note(fmt::format("{} holds {}{} rows that no other partition does{}", rest.name,
                     rest.more ? "more than " : "", HumanCount(rest.rows),
                     rest.least.empty()
                         ? std::string()
                         : fmt::format(", from {} to {}", rest.least, rest.greatest)));
  for (const std::string& line : MissingIndexes(inspection.missing)) note(line);
  if (inspection.partman) note(inspection.partman->Text());
  const partition::NextRanges& next = inspection.next;
  if (!next.unknown.empty() && !next.until.empty())
    note(
        fmt::format("ranges end at {0}: pgalter partition add {1} --from \"{0}\" --to … makes the "
                    "next one",
                    next.until, inspection.whole.table.name));
  if (!next.unknown.empty()) {
    note("what comes next: " + next.unknown);
  } else if (next.ranges.empty()) {
    note(fmt::format("ranges end at {}: nothing has to be made now", next.until));
  } else {
    note(fmt::format("ranges end at {}: pgalter partition maintain {} would make {}, up to {}",
                     next.until, inspection.whole.table.name, next.ranges.size(),
                     next.ranges.back().to));
  }
  return text;
}

void Show(const Inspection& inspection) {
  Table table({"PARTITION", "BOUND", "ROWS", "SIZE"});
  for (const Member& member : inspection.members)
    table.Add({member.name, BoundText(member),
               member.counted ? HumanCount(static_cast<std::int64_t>(member.rows)) : "?",
               watch::Format(static_cast<double>(member.bytes), watch::Unit::kBytes)});
  const std::string picture = PictureOf(inspection);
  Print(fmt::format("{} by {}\n{}{}{}{}", inspection.whole.table.name, inspection.by, table.Text(),
                    picture.empty() ? "" : "\n", picture, picture.empty() ? "" : "\n"));
  Print(Notes(inspection));
}

using Inventory = Task<ExitCode> (*)(const Context&, guard::Session&, pg::Oid, int);
constexpr std::array<std::pair<std::string_view, Inventory>, 3> kInventories{
    {{"tables", &InspectTables},
     {"indexes", &InspectIndexes},
     {"constraints", &InspectConstraints}}};

void AddOptions(po::options_description& options) {
  options.add_options()  //
      ("most", po::value<int>()->default_value(50),
       "tables, indexes, constraints: lines that are shown; JSON has all")  //
      ("premake", po::value<int>()->default_value(4),
       "partitions: how many ranges belong ahead")  //
      ("time-zone", po::value<std::string>()->default_value("UTC")->value_name("ZONE"),
       "partitions: in which days and months begin");
}

// 0: of all. Found where the user's own statements find it.
Task<pg::Oid> TableOf(const Context& context, guard::Session& session) {
  if (context.operands.size() < 2) co_return 0;
  const std::string& text = context.Operand(1);
  const auto name = sql::ParseQualifiedName(text);
  if (!name)
    throw Rejected(ExitCode::kUsage,
                   fmt::format("\"{}\" is no table's name: {}", text, name.error().message),
                   name.error().hint);
  co_await UseOwnSearchPath(session);
  const pg::Result found = co_await session.db().Query(
      "SELECT coalesce(pg_catalog.to_regclass($1)::pg_catalog.oid, 0)", sql::ToString(*name));
  co_await session.db().Query("SELECT pg_catalog.set_config('search_path', 'pg_catalog', false)");
  if (found.Get<pg::Oid>(0, 0) == 0)
    throw Rejected(ExitCode::kUsage,
                   fmt::format("there is no table {} in database {}", sql::ToString(*name),
                               session.db().database()),
                   "name it with its schema; pgalter inspect tables lists all");
  co_return found.Get<pg::Oid>(0, 0);
}

Task<ExitCode> Partitions(const Context& context) {
  constexpr int kMostPremade = 1000;
  if (context.operands.size() != 2)
    throw Rejected(ExitCode::kUsage, "inspect partitions: of which table?",
                   "pgalter inspect partitions TABLE");
  const int ahead = context.Get<int>("premake");
  if (ahead < 1 || ahead > kMostPremade)
    throw Rejected(ExitCode::kUsage, fmt::format("--premake {} is out of range", ahead),
                   "1 to 1000");
  guard::Session session = co_await OpenSession(context);
  const Inspection inspection =
      co_await partition::Inspect(session, context.Operand(1), ahead, context.Get("time-zone"));
  if (context.output == Output::kJson) {
    PrintJson(ToJson(inspection));
  } else {
    Show(inspection);
  }
  co_return ExitCode::kDone;
}

Task<ExitCode> Run(Context& context) {
  const std::string& what = context.Operand(0);
  if (what == "partitions") co_return co_await Partitions(context);
  const auto* found =
      std::ranges::find(kInventories, what, &decltype(kInventories)::value_type::first);
  if (found == kInventories.end())
    throw Rejected(ExitCode::kUsage, fmt::format("inspect \"{}\" is not known", what),
                   "one of: tables, indexes, constraints, partitions");
  const int most = context.Get<int>("most");
  if (most < 1)
    throw Rejected(ExitCode::kUsage, fmt::format("--most {} is out of range", most), "1 and more");
  guard::Session session = co_await OpenSession(context);
  const pg::Oid table = co_await TableOf(context, session);
  co_return co_await found->second(context, session, table, most);
}

}  // namespace

extern const CommandBody kInspectCommand;
const CommandBody kInspectCommand{
    .description =
        "tables, indexes, constraints, of the whole database or of one table and its partitions: "
        "sizes, and what makes a change slow or impossible: no key, dead rows, indexes that are "
        "invalid, not used or served by another one, constraints that are not validated, foreign "
        "keys without an index.\n\n"
        "partitions TABLE: the partitions with their bounds (in UTC), rows (an estimate) and "
        "sizes, and a picture of the ranges: '#' has rows, '-' has none, '<' and '>' have no end. "
        "Says where ranges leave gaps, which rows the default partition holds, which partitions "
        "lack an index of the table, and which ranges `pgalter partition maintain` would make "
        "now. Reads only.",
    .most_operands = 2,
    .least_operands = 1,
    .words = "tables indexes constraints partitions",
    .add_options = &AddOptions,
    .run = &Run};

}  // namespace pgalter::cli
