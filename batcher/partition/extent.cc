#include "batcher/partition/extent.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "batcher/partition/moment.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;

namespace {

// As text of the column's type; what stands for a time is given as one.
Task<std::string> KeyOf(Session& session, KeyColumn column, const char* option, std::string text,
                        std::string zone) {
  const std::string query =
      IsCoded(column.type) ? "SELECT floor(extract(epoch FROM $1::text::timestamptz))::int8::text"
                           : fmt::format("SELECT ($1::text)::{}::text", TypeName(column.type));
  const pg::Result usual = co_await session.db().Query("SELECT current_setting('TimeZone')");
  std::string key;
  std::string why;
  try {
    co_await session.db().Query("SELECT set_config('TimeZone', $1, false)", zone);
    const pg::Result row = co_await session.db().Query(query, text);
    key = row.Get<std::string>(0, 0);
  } catch (const pg::PgError& error) {
    if (!session.db().open()) throw;
    why = error.what();
  }
  co_await session.db().Query("SELECT set_config('TimeZone', $1, false)",
                              usual.Get<std::string>(0, 0));
  if (!why.empty())
    throw Failure(ExitCode::kUsage, fmt::format("--{} \"{}\" is no {} for column {}: {}", option,
                                                text, IsCoded(column.type) ? "time" : "value",
                                                QuoteIdentifier(column.name), why));
  if (IsCoded(column.type)) key = TextOf(LiteralAt(column, std::stoll(key)));
  co_return key;
}

class Extending {
 public:
  Extending(Session& session, const backfill::Table& table, const KeyColumn& column,
            const Period& period, const Extent& extent)
      : session_(session), table_(table), column_(column), period_(period), extent_(extent) {}

  Task<RangedRows> Find() {
    RangedRows found;
    infinite_ = co_await InfiniteKeys(session_, table_.name, column_);
    oldest_ = co_await OldestKey(session_, table_.name, column_);
    newest_ = co_await NewestKey(session_, table_.name, column_, Infinite::kLeftOut);
    found.ranges = co_await Ranges();
    if (!extent_.with_default) co_await RefuseLeftOver(found.ranges);
    if (!infinite_.empty())
      found.remarks.push_back(
          fmt::format("rows whose {} is {} are in the default partition: no range with bounds can "
                      "hold them",
                      QuoteIdentifier(column_.name), fmt::join(infinite_, " or ")));
    co_return found;
  }

 private:
  Task<std::vector<Range>> Ranges() {
    std::string begin = oldest_;
    if (extent_.from)
      begin = co_await KeyOf(session_, column_, "from", *extent_.from, extent_.time_zone);
    std::vector<Range> ranges;
    if (extent_.to) {
      ranges = co_await UpTo(std::move(begin));
    } else {
      // What begins behind all rows ends there.
      std::string newest = newest_;
      const bool behind = co_await IsLess(newest_, begin);
      if (behind || newest_.empty()) newest = begin;
      ranges = co_await RangesOver(session_, column_, period_, extent_.time_zone, std::move(begin),
                                   std::move(newest), extent_.more);
    }
    co_return ranges;
  }

  // False where there is none of the first.
  Task<bool> IsLess(std::string one, std::string other) {
    if (one.empty() || other.empty()) co_return false;
    const pg::Result row = co_await session_.db().Query(
        fmt::format("SELECT $1::text::{0} < $2::text::{0}", TypeName(column_.type)), one, other);
    co_return row.Get<bool>(0, 0);
  }

  Task<std::vector<Range>> UpTo(std::string begin) {
    const std::string end = co_await KeyOf(session_, column_, "to", *extent_.to, extent_.time_zone);
    if (begin.empty())
      throw Failure(
          ExitCode::kUsage,
          fmt::format("{} has no rows to begin the ranges with: --from says where", table_.name));
    const bool some = co_await IsLess(begin, end);
    if (!some)
      throw Failure(ExitCode::kUsage,
                    fmt::format("there is nothing from {} to {}: --to lies before --from, or "
                                "before the oldest row",
                                begin, end));
    const std::string from = begin;
    std::vector<Range> ranges = co_await RangesAround(session_, column_, period_, extent_.time_zone,
                                                      std::move(begin), kMostRanges + 1);
    std::vector<std::string> begins;
    for (const Range& range : ranges) begins.push_back(TextOf(range.from));
    const pg::Result count = co_await session_.db().Query(
        fmt::format("SELECT count(*) FROM unnest($1::text[]) f WHERE f::{0} < $2::text::{0}",
                    TypeName(column_.type)),
        begins, end);
    const auto within = static_cast<std::size_t>(count.Get<std::int64_t>(0, 0));
    if (within > kMostRanges)
      throw Failure(ExitCode::kUsage,
                    fmt::format("ranges of {} from {} up to {} would be more than {} partitions: "
                                "choose wider ones, or a later --from (the default partition holds "
                                "the rows before it)",
                                ToString(period_), from, end, kMostRanges));
    ranges.resize(within);
    co_return ranges;
  }

  // The copy would find them at its end.
  Task<> RefuseLeftOver(const std::vector<Range>& ranges) {
    if (!infinite_.empty())
      throw Failure(
          ExitCode::kRefused,
          fmt::format("cannot part {}: it has rows whose {} is {}, which no range with "
                      "bounds can hold, and no default partition for them: give them "
                      "another value, or --default yes. Nothing was changed",
                      table_.name, QuoteIdentifier(column_.name), fmt::join(infinite_, " or ")));
    const std::string first = TextOf(ranges.front().from);
    const std::string last = TextOf(ranges.back().to);
    const bool before = co_await IsLess(oldest_, first);
    const bool within = co_await IsLess(newest_, last);
    if (!before && (within || newest_.empty())) co_return;
    throw Failure(ExitCode::kRefused,
                  fmt::format("cannot part {}: it has rows {} {}, and no default partition for "
                              "them: other ends, or --default yes. Nothing was changed",
                              table_.name, before ? "before" : "from", before ? first : last));
  }

  Session& session_;
  const backfill::Table& table_;
  const KeyColumn& column_;
  const Period& period_;
  const Extent& extent_;
  std::vector<std::string> infinite_;
  std::string oldest_;  // but for these; text of the column's type; empty: no rows
  std::string newest_;
};

}  // namespace

Task<RangedRows> RangesOfRows(Session& session, const backfill::Table& table, KeyColumn column,
                              Period period, Extent extent) {
  Extending extending(session, table, column, period, extent);
  co_return co_await extending.Find();
}

}  // namespace pgalter::partition
