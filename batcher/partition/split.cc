#include "batcher/partition/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "batcher/partition/key_value.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/way_out.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

[[noreturn]] void RefuseUsage(const std::string& text) { throw Failure(ExitCode::kUsage, text); }

std::vector<Member> OthersOf(const Split& split) {
  std::vector<Member> others;
  for (const Member& member : split.members)
    if (member.oid != split.source.oid) others.push_back(member);
  return others;
}

std::string PieceName(const Whole& whole, const std::string& end) {
  const std::string quoted = PartName(whole.table.relname, end);
  const auto parsed = sql::ParseQualifiedName(quoted);
  return parsed ? parsed->name : quoted;
}

class Planner {
 public:
  Planner(Session& session, const SplitWish& wish, Split& split)
      : session_(session), wish_(wish), split_(split), others_(OthersOf(split)) {}

  Task<> Plan() {
    switch (split_.whole.strategy) {
      case Strategy::kHash:
        RefuseUsage(
            fmt::format("{0} is parted by hash: another modulus takes a rebuild, pgalter "
                        "rebuild {0} --definition FILE",
                        split_.whole.table.name));
      case Strategy::kList:
        co_await PlanLists();
        break;
      case Strategy::kRange:
        co_await PlanRanges();
        break;
    }
  }

 private:
  Task<> Add(std::string name, BoundWish bound) {
    bound.time_zone = wish_.time_zone;
    Piece piece;
    piece.bound = co_await SettleBound(session_, split_.whole, others_, std::move(bound));
    piece.name = name.empty() ? FreeName(piece.bound.end) : std::move(name);
    split_.pieces.push_back(std::move(piece));
  }

  // 'B' and 'b' are two values, and would be one name.
  [[nodiscard]] std::string FreeName(const std::string& end) const {
    std::string name = PieceName(split_.whole, end);
    const auto taken = [&] {
      return std::ranges::any_of(split_.pieces,
                                 [&](const Piece& piece) { return piece.name == name; }) ||
             std::ranges::any_of(others_,
                                 [&](const Member& other) { return other.relname == name; });
    };
    for (int more = 2; taken(); ++more)
      name = PieceName(split_.whole, fmt::format("{}_{}", end, more));
    return name;
  }

  // `cut`: the point that is asked for; empty: none is.
  Task<> AddRange(Givens from, Givens to, Givens cut = {}) {
    std::string name = NameOf(from.front(), to.front());
    BoundWish bound;
    if (!cut.empty()) bound.told = fmt::format("--at {} of {}", ToText(cut), split_.source.name);
    bound.from = std::move(from);
    bound.to = std::move(to);
    co_await Add(std::move(name), std::move(bound));
  }

  // As `convert` and `maintain` call a range that begins there; empty: nothing of the calendar
  // does.
  [[nodiscard]] std::string NameOf(const Given& from, const Given& to) const {
    const bool begins = from.quoted || !IsEndless(from.text);
    const auto at = names_.find(begins ? from.text : to.text);
    if (at == names_.end()) return "";
    return PieceName(split_.whole, (begins ? "_p" : "_until_") + at->second);
  }

  Task<> PlanLists() {
    if (wish_.lists.empty() || !wish_.at.empty() || !wish_.every.empty() || !wish_.from.empty() ||
        !wish_.to.empty())
      RefuseUsage(fmt::format("{} is parted by lists: --values NAME=VALUE[,VALUE...] for each",
                              split_.whole.table.name));
    if (split_.whole.column.empty())
      throw Failure(ExitCode::kRefused,
                    fmt::format("{} is parted by lists of an expression, whose values are not "
                                "compared here: such a partition is not split. Nothing was changed",
                                split_.whole.table.name));
    std::vector<std::string> all;
    for (const ListPart& list : wish_.lists) {
      BoundWish bound;
      bound.values = list.values;
      for (const Given& given : list.values) {
        Key key = co_await KeyOf(session_, split_.whole, given, wish_.time_zone);
        if (std::ranges::count(all, key.literal) > 0)
          RefuseUsage(fmt::format("--values has {} twice", key.literal));
        all.push_back(std::move(key.literal));
      }
      std::string name = PieceName(split_.whole, "_" + list.name);
      co_await Add(std::move(name), std::move(bound));
    }
    if (!split_.source.is_default) co_await RefuseUncovered(all);
  }

  // The literals of the one that the other has not, as the server compares; empty: none.
  Task<std::string> LeftOf(std::vector<std::string> one, std::vector<std::string> other) {
    const Whole& whole = split_.whole;
    const pg::Result left = co_await session_.db().Query(fmt::format(
        "SELECT string_agg(coalesce(quote_literal(o.v::text), 'NULL'), ', ') FROM ({}) o (v) WHERE "
        "NOT EXISTS (SELECT FROM ({}) h (v) WHERE h.v {} o.v OR (h.v IS NULL AND o.v IS NULL))",
        KeyRows(whole, one), KeyRows(whole, other), whole.Op(Relation::kEqual)));
    co_return left.Get<std::optional<std::string>>(0, 0).value_or("");
  }

  // Rows of a value that no piece has would have no place, now or later.
  Task<> RefuseUncovered(const std::vector<std::string>& values) {
    std::vector<std::string> has;
    for (const Given& value : split_.source.values) has.push_back(LiteralOf(value));
    const std::string left = co_await LeftOf(has, values);
    if (!left.empty())
      RefuseUsage(fmt::format("no --values has {}, which {} holds", left, split_.source.name));
    const std::string added = co_await LeftOf(values, has);
    if (!added.empty())
      RefuseUsage(fmt::format("{} holds no {}: `pgalter partition add` makes a partition for it",
                              split_.source.name, added));
  }

  Task<> PlanRanges() {
    if (!wish_.lists.empty())
      RefuseUsage(fmt::format("{} is parted by ranges: --at VALUE, or --every WIDTH",
                              split_.whole.table.name));
    const int ways = static_cast<int>(!wish_.at.empty()) + static_cast<int>(!wish_.every.empty()) +
                     static_cast<int>(!wish_.from.empty() || !wish_.to.empty());
    if (ways != 1)
      RefuseUsage(fmt::format("how is it to be split? One of: {}",
                              split_.source.is_default ? "--every WIDTH, --from VALUE --to VALUE"
                                                       : "--at VALUE, --every WIDTH"));
    if (!wish_.every.empty() && split_.whole.column.empty()) co_await RefuseWidth();
    if (split_.source.is_default) {
      co_await PlanFromDefault();
      co_return;
    }
    if (!wish_.from.empty() || !wish_.to.empty())
      RefuseUsage("--from and --to take rows out of a default partition; to split a range: --at");
    std::vector<Givens> cuts = wish_.at;
    std::vector<std::string> counted;
    if (cuts.empty()) counted = co_await CutsOf();
    for (std::string& cut : counted) cuts.push_back({Given{std::move(cut)}});
    Givens from = split_.source.first;
    for (const Givens& cut : cuts) {
      co_await AddRange(from, cut, cut);
      from = cut;
    }
    if (!cuts.empty()) co_await AddRange(from, split_.source.last, cuts.back());
    co_await RefuseBeyond(cuts);
  }

  Task<> RefuseWidth() {
    const std::string by = co_await PartitionKeyOf(session_, split_.whole);
    RefuseUsage(fmt::format("--every counts ranges of one column, and {} is parted by {}: {}",
                            split_.whole.table.name, by,
                            split_.source.is_default
                                ? "--from and --to, a value for each, take rows out"
                                : "--at with a value for each, as often as it is to be cut"));
  }

  // The server would take a range beyond the old one's ends, whose rows are elsewhere. Of several
  // columns the next piece would be empty, which has been tried.
  Task<> RefuseBeyond(const std::vector<Givens>& cuts) {
    if (cuts.empty() || split_.whole.column.empty()) co_return;
    const Whole& whole = split_.whole;
    for (std::size_t i = 0; i + 1 < split_.pieces.size(); ++i) {
      const std::string cut = EndOf(split_.pieces[i].bound.text);
      const pg::Result row = co_await session_.db().Query(
          fmt::format("SELECT coalesce({0} {1} {2}, false) OR coalesce({0} {3} {4}, false)",
                      TypedKey(whole, cut), whole.Op(Relation::kAtMost), whole.AsKey("$1::text"),
                      whole.Op(Relation::kAtLeast), whole.AsKey("$2::text")),
          split_.source.from, split_.source.to);
      if (row.Get<bool>(0, 0))
        RefuseUsage(fmt::format("--at {} is not within {}, {}", cut, split_.source.name,
                                split_.source.bound));
    }
  }

  Task<KeyColumn> Column() {
    const auto parsed = sql::ParseQualifiedName(split_.whole.column);
    std::string name = split_.whole.column;
    if (parsed) name = parsed->name;
    co_return co_await FindColumn(session_, split_.whole.table, std::move(name), wish_.epoch);
  }

  // Ranges of the wished width around the rows or the bounds, beginning at a bound of the calendar.
  Task<std::vector<Range>> Ranges(KeyColumn column, std::string at) {
    co_await RefuseUnknownZone(session_, wish_.time_zone);
    const Period period = PeriodOf(wish_.every, column);
    std::vector<Range> ranges = co_await RangesAround(
        session_, std::move(column), period, wish_.time_zone, std::move(at), kMostRanges + 1);
    for (const Range& range : ranges) names_[TextOf(range.from)] = range.name;
    co_return ranges;
  }

  // That has room for bounds that the column has none for.
  [[nodiscard]] std::string WideType(const KeyColumn& column) const {
    return IsNumber(column.type) ? "numeric" : split_.whole.type;
  }

  Task<std::vector<std::string>> CutsOf() {
    const KeyColumn column = co_await Column();
    std::string first = split_.source.from.value_or("");
    // Where the old one has no ends, neither have the first and the last piece.
    if (first.empty()) first = co_await OldestKey(session_, split_.source.name, column);
    std::string last = split_.source.to.value_or("");
    if (last.empty())
      last = co_await NewestKey(session_, split_.source.name, column, Infinite::kLeftOut);
    std::vector<std::string> cuts;
    if (first.empty() || last.empty()) co_return cuts;
    std::vector<std::string> bounds;
    for (const Range& range : co_await Ranges(column, first)) bounds.push_back(TextOf(range.from));
    const pg::Result rows = co_await session_.db().Query(
        fmt::format("SELECT b, n FROM unnest($1::text[]) WITH ORDINALITY u (b, n)"
                    " WHERE b::{0} > $2::text::{0} AND b::{0} < $3::text::{0} ORDER BY n",
                    WideType(column)),
        bounds, first, last);
    for (int i = 0; i < rows.rows(); ++i) cuts.push_back(rows.Get<std::string>(i, 0));
    RefuseTooMany(cuts.size());
    co_return cuts;
  }

  void RefuseTooMany(std::size_t pieces) const {
    if (pieces >= kMostRanges)
      RefuseUsage(fmt::format("ranges of {} would be more than {} partitions: choose wider ones",
                              wish_.every, kMostRanges));
  }

  Task<> PlanFromDefault() {
    if (!wish_.at.empty())
      RefuseUsage(
          "--at cuts a range; to take rows out of a default partition: --every WIDTH, or "
          "--from VALUE --to VALUE");
    if (wish_.every.empty()) {
      BoundWish bound;
      bound.from = wish_.from;
      bound.to = wish_.to;
      bound.told = ToldOf(bound, split_.source.name);
      co_await Add("", std::move(bound));
      co_return;
    }
    const KeyColumn column = co_await Column();
    const std::string rows = co_await FiniteRows(column);
    std::string at = co_await Least(rows);
    while (!at.empty()) {
      const std::vector<Range> ranges = co_await Ranges(column, at);
      co_await AddUsed(column, ranges, rows);
      at = co_await Least(
          fmt::format("{} AND {} >= {}", rows, split_.whole.column, ranges.back().to));
    }
  }

  // The rows that a range with bounds can hold, as a condition; others stay.
  Task<std::string> FiniteRows(const KeyColumn& column) {
    const std::string& name = split_.whole.column;
    if (!HasInfinity(column.type)) co_return name + " IS NOT NULL";
    std::string finite = fmt::format("isfinite({})", name);
    if (column.type == KeyType::kNumeric)
      finite = fmt::format("({0} > '-Infinity' AND {0} < 'Infinity')", name);
    const pg::Result odd = co_await session_.db().Query(fmt::format(
        "SELECT {0}::text FROM {1} WHERE NOT {2} LIMIT 1", name, split_.source.name, finite));
    if (!odd.empty())
      split_.remarks.push_back(
          fmt::format("rows whose {} is {} stay where they are: no range with "
                      "bounds can hold them",
                      name, odd.Get<std::string>(0, 0)));
    co_return finite;
  }

  // Empty: there is none.
  Task<std::string> Least(std::string rows) {
    const pg::Result row = co_await session_.db().Query(
        fmt::format("SELECT (SELECT {0} FROM {1} WHERE {2} ORDER BY {0} LIMIT 1)::text",
                    split_.whole.column, split_.source.name, rows));
    co_return row.Get<std::optional<std::string>>(0, 0).value_or("");
  }

  // Of the ranges, those that there are rows for.
  Task<> AddUsed(const KeyColumn& column, const std::vector<Range>& ranges, std::string rows) {
    std::vector<std::string> bounds;
    for (const Range& range : ranges) bounds.push_back(TextOf(range.from));
    const std::string& name = split_.whole.column;
    const pg::Result used = co_await session_.db().Query(
        fmt::format("SELECT width_bucket({0}::{1}, $1::text[]::{1}[]) FROM {2}"
                    " WHERE {3} AND {0} >= {4} AND {0} < {5} GROUP BY 1 ORDER BY 1",
                    name, WideType(column), split_.source.name, rows, ranges.front().from,
                    ranges.back().to),
        bounds);
    for (int i = 0; i < used.rows(); ++i) {
      const auto number = static_cast<std::size_t>(used.Get<std::int32_t>(i, 0));
      RefuseTooMany(split_.pieces.size());
      co_await AddUnlessTaken(ranges[number - 1]);
    }
  }

  Task<> AddUnlessTaken(const Range& range) {
    try {
      const Givens from{Given{TextOf(range.from)}};
      const Givens to{Given{TextOf(range.to)}};
      co_await AddRange(from, to);
    } catch (const Failure& failure) {
      if (failure.code() != ExitCode::kRefused) throw;
      split_.remarks.push_back(fmt::format("rows from {} to {} stay where they are: {}", range.from,
                                           range.to, failure.what()));
    }
  }

  Session& session_;
  const SplitWish& wish_;
  Split& split_;
  std::vector<Member> others_;
  std::map<std::string, std::string> names_;  // of ranges of --every, by where they begin
};

}  // namespace

Task<Split> PlanSplit(Session& session, SplitWish wish) {
  Split split;
  FoundMember found = co_await FindMember(session, wish.partition);
  split.whole = std::move(found.whole);
  split.members = std::move(found.members);
  split.source = std::move(found.member);
  co_await RefuseStranger(session, split.whole.table.oid);
  co_await RefuseStranger(session, split.source.oid);
  Planner planner(session, wish, split);
  co_await planner.Plan();
  co_return split;
}

void RefuseNothingToCut(const Split& split) {
  if (split.pieces.empty())
    RefuseUsage(
        fmt::format("there is nothing to cut in {}, {}", split.source.name, split.source.bound));
}

bool GoesInParts(const Split& split) {
  return split.source.is_default || split.whole.strategy == Strategy::kRange;
}

Task<Split> LastOf(Session& session, Split split, std::size_t pieces) {
  if (pieces >= split.pieces.size()) co_return split;
  const std::size_t first = split.pieces.size() - pieces;
  const std::string end = EndOf(split.pieces[first - 1].bound.text);
  split.pieces.erase(split.pieces.begin(),
                     split.pieces.end() - static_cast<std::ptrdiff_t>(pieces));
  if (split.source.is_default) co_return split;
  BoundWish left;
  left.from = split.source.first;
  left.to = ReadLiterals(end);
  Piece rest;
  rest.bound = co_await SettleBound(session, split.whole, OthersOf(split), std::move(left));
  const bool taken = std::ranges::any_of(
      split.pieces, [&](const Piece& piece) { return piece.name == split.source.relname; });
  rest.name = taken ? PieceName(split.whole, rest.bound.end) : split.source.relname;
  split.pieces.insert(split.pieces.begin(), std::move(rest));
  co_return split;
}

SplitWish Without(SplitWish wish, std::size_t pieces, std::string rest) {
  wish.partition = std::move(rest);
  if (!wish.at.empty()) wish.at.resize(wish.at.size() - pieces);
  if (!wish.lists.empty()) wish.lists.resize(wish.lists.size() - pieces);
  return wish;
}

Task<PreparedRepart> PreparePremake(Session& session, const Whole& whole, const Premake& premake) {
  if (premake.divided)
    throw Failure(
        ExitCode::kRefused,
        fmt::format("{} has rows of the ranges that are to be made, and these are to be "
                    "partitioned themselves, as the last one is: rows are only moved into "
                    "plain partitions. Move them away, run this again, and insert them "
                    "anew. Nothing was changed",
                    whole.rest));
  const std::vector<Member> members = co_await ReadMembers(session, whole);
  std::vector<Member> others;
  Member source;
  for (const Member& member : members) {
    if (member.is_default) source = member;
    if (!member.is_default) others.push_back(member);
  }
  std::vector<Piece> pieces;
  std::vector<Range> ranges = premake.behind;
  ranges.insert(ranges.end(), premake.ranges.begin(), premake.ranges.end());
  for (const Range& range : ranges) {
    BoundWish bound;
    bound.from.push_back({TextOf(range.from)});
    bound.to.push_back({TextOf(range.to)});
    Piece piece;
    piece.bound = co_await SettleBound(session, whole, others, std::move(bound));
    piece.name = PieceName(whole, "_p" + range.name);
    pieces.push_back(std::move(piece));
  }
  co_return co_await PrepareRepart(session, whole, members, source, std::move(pieces));
}

}  // namespace pgalter::partition
