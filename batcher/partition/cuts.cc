#include "batcher/partition/cuts.h"

#include <fmt/format.h>

#include <set>

#include "batcher/partition/bounds.h"
#include "batcher/partition/key_value.h"
#include "engine/run/failure.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

[[noreturn]] void RefuseUsage(const std::string& text) { throw Failure(ExitCode::kUsage, text); }

class Cutting {
 public:
  Cutting(Session& session, const Whole& whole, const Cuts& cuts)
      : session_(session), whole_(whole), cuts_(cuts) {}

  Task<CutRanges> Find() {
    if (cuts_.at.size() >= kMostRanges)
      RefuseUsage(fmt::format("--values has {} points: of one table at most {} partitions are made",
                              cuts_.at.size(), kMostRanges));
    std::vector<std::string> values;
    for (const Given& given : cuts_.at) {
      Key point = co_await KeyOf(session_, whole_, given, cuts_.time_zone);
      if (IsEndless(point.literal))
        RefuseUsage(
            fmt::format("--values \"{}\": the first range begins with MINVALUE and the "
                        "last ends with MAXVALUE, unless --from and --to say where",
                        given.text));
      values.push_back(std::move(point.value));
    }
    values = co_await Sorted(std::move(values));
    const Key first = co_await EndOf(cuts_.from, "MINVALUE");
    const Key last = co_await EndOf(cuts_.to, "MAXVALUE");
    co_await RefuseUnless(first, Relation::kLess, values.front(), "--from", "lies behind");
    co_await RefuseUnless(last, Relation::kMore, values.back(), "--to", "lies before");
    std::vector<Key> points{first};
    for (const std::string& value : values) points.push_back(KeyWith(whole_, value));
    points.push_back(last);
    co_return Between(points);
  }

 private:
  Task<Key> EndOf(std::optional<Given> given, std::string endless) {
    if (given) co_return co_await KeyOf(session_, whole_, std::move(*given), cuts_.time_zone);
    Key end;
    end.literal = end.value = std::move(endless);
    co_return end;
  }

  Task<std::vector<std::string>> Sorted(std::vector<std::string> points) {
    const std::string query = fmt::format(
        "SELECT p, coalesce(k {1} lag(k) OVER w, false), lag(p) OVER w"
        " FROM (SELECT p, {0} AS k FROM unnest($1::text[]) u (p)) v WINDOW w AS (ORDER BY k)"
        " ORDER BY k",
        whole_.AsKey("p"), whole_.Op(Relation::kEqual));
    std::optional<pg::Result> rows;
    std::string why;
    try {
      rows = co_await session_.db().Query(query, points);
    } catch (const pg::PgError& error) {
      if (!session_.db().open()) throw;
      why = error.what();
    }
    if (!rows)
      RefuseUsage(
          fmt::format("column {} of {} is of type {}, whose values cannot be put in an "
                      "order, as those of ranges are: {}",
                      whole_.column, whole_.table.name, whole_.type, why));
    std::vector<std::string> sorted;
    for (int i = 0; i < rows->rows(); ++i) {
      const auto point = rows->Get<std::string>(i, 0);
      if (rows->Get<bool>(i, 1))
        RefuseUsage(
            fmt::format("--values: \"{}\" and \"{}\" are the same in column {} of {}{}: "
                        "each point once",
                        rows->Get<std::string>(i, 2), point, whole_.column, whole_.table.name,
                        whole_.collation));
      sorted.push_back(point);
    }
    co_return sorted;
  }

  Task<> RefuseUnless(Key end, Relation relation, std::string point, std::string option,
                      std::string wrong) {
    if (IsEndless(end.literal)) co_return;
    const pg::Result row =
        co_await session_.db().Query(fmt::format("SELECT {} {} {}", whole_.AsKey("$1::text"),
                                                 whole_.Op(relation), whole_.AsKey("$2::text")),
                                     end.value, point);
    if (!row.Get<bool>(0, 0))
      RefuseUsage(fmt::format("{} \"{}\" {} \"{}\" of --values, or is the same", option, end.value,
                              wrong, point));
  }

  CutRanges Between(const std::vector<Key>& points) const {
    CutRanges cut;
    std::set<std::string> names;
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
      const Key& from = points[i];
      const Key& to = points[i + 1];
      const std::string name = NameEndOfRange(whole_, from, to);
      CutRange range;
      range.end = name;
      // 'B' and 'b' are two points, and one name.
      for (int more = 2; !names.insert(range.end).second; ++more)
        range.end = fmt::format("{}_{}", name, more);
      range.bound = fmt::format("FOR VALUES FROM ({}) TO ({})", from.literal, to.literal);
      cut.ranges.push_back(std::move(range));
    }
    cut.inside = InsideOf(whole_, points.front().literal, points.back().literal);
    return cut;
  }

  Session& session_;
  const Whole& whole_;
  const Cuts& cuts_;
};

}  // namespace

Task<CutRanges> RangesOfCuts(Session& session, const backfill::Table& table, std::string column,
                             Cuts cuts) {
  const Whole whole = co_await WholeToBe(session, table, std::move(column));
  const pg::Result usual = co_await session.db().Query("SELECT current_setting('TimeZone')");
  Cutting cutting(session, whole, cuts);
  std::exception_ptr failure;
  CutRanges ranges;
  try {
    ranges = co_await cutting.Find();
  } catch (...) {
    failure = std::current_exception();
  }
  if (session.db().open())
    co_await session.db().Query("SELECT set_config('TimeZone', $1, false)",
                                usual.Get<std::string>(0, 0));
  if (failure) std::rethrow_exception(failure);
  co_return ranges;
}

}  // namespace pgalter::partition
