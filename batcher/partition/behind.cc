#include "batcher/partition/behind.h"

#include <fmt/format.h>

#include "batcher/partition/bound_wish.h"
#include "batcher/partition/moment.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

// Those that are made are taken, too.
std::vector<Member> Taken(const std::vector<Member>& members, const std::vector<Range>& made) {
  std::vector<Member> taken;
  for (const Member& member : members)
    if (!member.is_default) taken.push_back(member);
  for (const Range& range : made) {
    Member member;
    member.name = range.name;
    member.is_range = true;
    member.bound = "about to be made";
    member.from = TextOf(range.from);
    member.to = TextOf(range.to);
    taken.push_back(std::move(member));
  }
  return taken;
}

class Behind {
 public:
  Behind(Session& session, const Near& near, Premake& premake)
      : session_(session),
        near_(near),
        premake_(premake),
        column_(sql::QuoteIdentifier(near.column.name)),
        such_(fmt::format("{} < {}", column_, Literal(near.far))) {
    if (!premake.inside.empty()) such_ += fmt::format(" AND NOT ({})", premake.inside);
  }

  Task<> Find() {
    co_await StayBefore();
    const pg::Result oldest = co_await session_.db().Query(
        fmt::format("SELECT (SELECT {0} FROM {1} WHERE {2} ORDER BY {0} LIMIT 1)::text", column_,
                    near_.whole.rest, such_));
    auto at = oldest.Get<std::optional<std::string>>(0, 0);
    if (!at) co_return;
    const std::vector<Range> ranges = co_await RangesAround(
        session_, near_.column, near_.period, near_.time_zone, std::move(*at), kMostRanges);
    const std::vector<Member> taken = Taken(near_.members, premake_.ranges);
    for (const std::size_t place : co_await Used(ranges)) co_await Add(ranges[place], taken);
  }

 private:
  [[nodiscard]] std::string Literal(const std::string& text) const {
    return IsNumber(near_.column.type) ? text : sql::QuoteLiteral(text);
  }

  // What is too far before the first range is nothing that is expected.
  Task<> StayBefore() {
    const Member& first = near_.members.front();
    if (!first.is_range || !first.from || *first.from == "-infinity") co_return;
    const std::string bound = co_await BoundBefore(session_, near_.column, near_.period,
                                                   near_.time_zone, *first.from, near_.most);
    const pg::Result row = co_await session_.db().Query(
        fmt::format("SELECT (SELECT {0} FROM {1} WHERE {0} < {2} ORDER BY {0} LIMIT 1)::text",
                    column_, near_.whole.rest, Literal(bound)));
    if (!row.IsNull(0, 0))
      premake_.remarks.push_back(fmt::format(
          "{0} has rows whose {1} is far before the first range, as {2}: they stay there. To give "
          "them ranges: pgalter partition split {0} --every '{3}'",
          near_.whole.rest, column_, row.Get<std::string>(0, 0), ToString(near_.period)));
    such_ += fmt::format(" AND {} >= {}", column_, Literal(bound));
  }

  // Places of the ranges that such rows belong into.
  Task<std::vector<std::size_t>> Used(const std::vector<Range>& ranges) {
    std::vector<std::string> bounds;
    for (const Range& range : ranges) bounds.push_back(TextOf(range.from));
    bounds.push_back(TextOf(ranges.back().to));
    const std::string type =
        IsNumber(near_.column.type) ? std::string("numeric") : near_.whole.type;
    const pg::Result rows = co_await session_.db().Query(
        fmt::format("SELECT DISTINCT width_bucket({0}::{1}, $1::text[]::{1}[]) FROM {2} WHERE {3} "
                    "ORDER BY 1",
                    column_, type, near_.whole.rest, such_),
        bounds);
    std::vector<std::size_t> places;
    for (int i = 0; i < rows.rows(); ++i) {
      const int bucket = rows.Get<int>(i, 0);
      if (bucket > 0 && bucket <= static_cast<int>(ranges.size()))
        places.push_back(static_cast<std::size_t>(bucket) - 1);
    }
    co_return places;
  }

  Task<> Add(const Range& range, const std::vector<Member>& taken) {
    BoundWish bound;
    bound.from.push_back({TextOf(range.from)});
    bound.to.push_back({TextOf(range.to)});
    std::string why;
    try {
      co_await SettleBound(session_, near_.whole, taken, std::move(bound));
    } catch (const Failure& failure) {
      if (failure.code() != ExitCode::kRefused) throw;
      why = failure.what();
    }
    if (why.empty()) {
      premake_.behind.push_back(range);
    } else {
      premake_.remarks.push_back(fmt::format("{} has rows from {} to {}, which stay there: {}",
                                             near_.whole.rest, range.from, range.to, why));
    }
  }

  Session& session_;
  const Near& near_;
  Premake& premake_;
  std::string column_;
  std::string such_;  // the rows that count, as a condition
};

}  // namespace

Task<> FindBehind(Session& session, const Near& near, Premake& premake) {
  Behind behind(session, near, premake);
  co_await behind.Find();
}

}  // namespace pgalter::partition
