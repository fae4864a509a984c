#include "batcher/partition/several.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>

#include "batcher/partition/key_value.h"
#include "engine/guard/transaction.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;

namespace {

constexpr const char* kInvalidDefinition = "42P17";  // an empty range, an overlap

// Each key: its column, or the expressions of all; its type, empty where an operator class takes
// several; whether keys are compared as the column is.
constexpr const char* kParts = R"sql(
SELECT coalesce(quote_ident(a.attname), pg_get_expr(p.partexprs, p.partrelid)),
       CASE WHEN a.attnum IS NOT NULL THEN format_type(a.atttypid, a.atttypmod)
            WHEN t.typtype <> 'p' THEN format_type(t.oid, NULL) ELSE '' END,
       a.attnum IS NULL OR a.attcollation = k.compared
FROM pg_partitioned_table p
CROSS JOIN LATERAL unnest(p.partattrs::int2[], p.partclass::oid[], p.partcollation::oid[])
  WITH ORDINALITY k (attnum, opclass, compared, n)
JOIN pg_opclass o ON o.oid = k.opclass JOIN pg_type t ON t.oid = o.opcintype
LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum AND k.attnum > 0
WHERE p.partrelid = $1 ORDER BY k.n
)sql";

[[noreturn]] void RefuseUsage(const std::string& text) { throw Failure(ExitCode::kUsage, text); }

using Parts = std::vector<Whole>;

std::string JoinLiterals(const std::vector<Key>& keys) {
  std::string text;
  for (const Key& key : keys) text += (text.empty() ? "" : ", ") + key.literal;
  return text;
}

// Never within a character.
std::string CutName(std::string name) {
  constexpr std::size_t kMost = 42;
  if (name.size() <= kMost) return name;
  std::size_t cut = kMost;
  while ((static_cast<unsigned char>(name[cut]) & 0xC0U) == 0x80U) --cut;
  name.resize(cut);
  while (name.back() == '_') name.pop_back();
  return name;
}

class Trial {
 public:
  Trial(Session& session, const Whole& whole, const std::vector<Member>& members)
      : session_(session), whole_(whole), members_(members) {}

  Task<Bound> Settle(BoundWish wish) {
    by_ = co_await PartitionKeyOf(session_, whole_);
    co_await ReadParts();
    Bound bound;
    if (whole_.strategy == Strategy::kRange)
      co_await SettleRange(wish, bound);
    else
      co_await SettleList(wish, bound);
    co_await Try(wish, bound);
    bound.outside = fmt::format("(NOT ({}))", bound.inside);
    co_return bound;
  }

 private:
  // Each as though the table were parted by it alone.
  Task<> ReadParts() {
    const pg::Result rows = co_await session_.db().Query(kParts, whole_.table.oid);
    for (int i = 0; i < rows.rows(); ++i) {
      Whole part = whole_;
      part.column = part.key = rows.Get<std::string>(i, 0);
      part.type = rows.Get<std::string>(i, 1);
      if (!rows.Get<bool>(i, 2))
        throw Failure(
            ExitCode::kRefused,
            fmt::format("{} compares {} by another collation than the column's own: no CHECK says "
                        "what its partitions hold. At a quiet time, by hand: ALTER TABLE … ATTACH "
                        "PARTITION. Nothing was changed",
                        whole_.table.name, part.column));
      parts_.push_back(std::move(part));
    }
  }

  Task<> SettleRange(const BoundWish& wish, Bound& bound) {
    if (wish.from.empty() || wish.to.empty() || !wish.values.empty())
      RefuseUsage(fmt::format("{} is parted by {}: --from {} --to {}", whole_.table.name, by_,
                              Example(), Example()));
    const std::vector<Key> from = co_await KeysOf("--from", wish.from, wish.time_zone);
    const std::vector<Key> to = co_await KeysOf("--to", wish.to, wish.time_zone);
    bound.text = fmt::format("FOR VALUES FROM ({}) TO ({})", JoinLiterals(from), JoinLiterals(to));
    const bool begins = !IsEndless(from.front().literal);
    bound.end = CutName((begins ? "_p" : "_until_") + NameOf(begins ? from : to));
  }

  Task<> SettleList(const BoundWish& wish, Bound& bound) {
    if (wish.values.empty() || !wish.from.empty() || !wish.to.empty())
      RefuseUsage(
          fmt::format("{} is parted by {}: --values VALUE[,VALUE...]", whole_.table.name, by_));
    std::vector<Key> keys;
    for (const Given& given : wish.values) {
      Key key = co_await KeyFor(parts_.front(), given, wish.time_zone);
      keys.push_back(std::move(key));
    }
    bound.text = fmt::format("FOR VALUES IN ({})", JoinLiterals(keys));
    bound.end = NameEnd(parts_.front(), keys.front());
  }

  [[nodiscard]] std::string Example() const {
    const std::vector<std::string> values(parts_.size(), "VALUE");
    return fmt::format("{}", fmt::join(values, ","));
  }

  Task<std::vector<Key>> KeysOf(std::string option, Givens given, std::string zone) {
    if (given.size() != parts_.size())
      RefuseUsage(
          fmt::format("{} {} has {} of the {} values that {} is parted by, {}: one for each, "
                      "in their order, MINVALUE where nothing is to be said of it; a value "
                      "with a comma is in quotes",
                      option, ToText(given), given.size(), parts_.size(), whole_.table.name, by_));
    std::vector<Key> keys;
    for (std::size_t i = 0; i < given.size(); ++i) {
      Key key = co_await KeyFor(parts_[i], given[i], zone);
      const bool endless = !keys.empty() && IsEndless(keys.back().literal);
      if (endless && key.literal != keys.back().literal)
        RefuseUsage(fmt::format("{} {}: behind {} only the same can stand", option, ToText(given),
                                keys.back().literal));
      keys.push_back(std::move(key));
    }
    co_return keys;
  }

  // Of a type that is not known before, the server says in the trial whether it is a value.
  Task<Key> KeyFor(const Whole& part, Given given, std::string zone) {
    const bool typed = !part.type.empty();
    if (typed) co_return co_await KeyOf(session_, part, std::move(given), std::move(zone));
    Whole text = part;
    text.type = "text";
    co_return co_await KeyOf(session_, text, std::move(given), std::move(zone));
  }

  // "eu_2026_01_01"
  [[nodiscard]] std::string NameOf(const std::vector<Key>& keys) const {
    std::string name;
    for (std::size_t i = 0; i < keys.size() && !IsEndless(keys[i].literal); ++i)
      name += (name.empty() ? "" : "_") + NameEnd(parts_[i], keys[i]).substr(2);
    return name;
  }

  Task<> Try(const BoundWish& wish, Bound& bound) {
    const guard::TransactionOptions defaults;
    co_await guard::Begin(session_, defaults);
    std::exception_ptr failure;
    std::string sqlstate;
    std::string message;
    try {
      co_await InCopy(bound);
    } catch (const pg::PgError& error) {
      failure = std::current_exception();
      sqlstate = error.fields().sqlstate;
      message = error.fields().message;
    } catch (...) {
      failure = std::current_exception();
    }
    if (session_.db().open()) co_await guard::RollBack(session_);
    if (sqlstate == pg::sqlstate::kInsufficientPrivilege)
      throw Failure(
          ExitCode::kUnsupported,
          fmt::format("{} is parted by {}, and its bounds are tried in a temporary table, "
                      "which is refused: {}. GRANT TEMPORARY ON DATABASE … to the role",
                      whole_.table.name, by_, message));
    // The first one is alone: it meets no other.
    if (sqlstate == kInvalidDefinition && meets_ == nullptr)
      RefuseUsage(
          fmt::format("{}{} cannot be a partition of {}, {}: {}",
                      wish.from.empty() ? std::string() : ToldOf(wish, whole_.table.name) + ": ",
                      bound.text, whole_.table.name, by_, message));
    if (sqlstate == kInvalidDefinition)
      throw Failure(ExitCode::kRefused,
                    fmt::format("partition {} is {} already, which has some of {}. Nothing was "
                                "changed",
                                meets_->name, meets_->bound, bound.text));
    if (failure) std::rethrow_exception(failure);
  }

  Task<> InCopy(Bound& bound) {
    co_await session_.db().Query(fmt::format(
        "CREATE TEMP TABLE pgalter_trial (LIKE {}) PARTITION BY {}", whole_.table.name, by_));
    co_await session_.db().Query(fmt::format(
        "CREATE TEMP TABLE pgalter_trial_new PARTITION OF pg_temp.pgalter_trial {}", bound.text));
    const pg::Result inside = co_await session_.db().Query(
        "SELECT pg_get_partition_constraintdef('pg_temp.pgalter_trial_new'::regclass)");
    bound.inside = inside.Get<std::string>(0, 0);
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (members_[i].is_default) continue;
      meets_ = &members_[i];
      co_await session_.db().Query(
          fmt::format("CREATE TEMP TABLE pgalter_trial_{} PARTITION OF pg_temp.pgalter_trial {}", i,
                      members_[i].bound));
    }
  }

  Session& session_;
  const Whole& whole_;
  const std::vector<Member>& members_;
  std::string by_;  // "RANGE (region, made)"
  Parts parts_;
  const Member* meets_ = nullptr;
};

}  // namespace

Task<Bound> SettleByTrial(Session& session, const Whole& whole, const std::vector<Member>& members,
                          BoundWish wish) {
  Trial trial(session, whole, members);
  co_return co_await trial.Settle(std::move(wish));
}

}  // namespace pgalter::partition
