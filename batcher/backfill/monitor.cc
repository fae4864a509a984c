#include "batcher/backfill/monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "batcher/backfill/wish.h"

namespace pgalter::backfill {

namespace {

struct HotCounters {
  std::int64_t updated = 0;
  std::int64_t hot = 0;
};

Task<HotCounters> ReadHot(Crew& crew) {
  std::vector<std::int64_t> oids;
  for (const auto& work : crew.leaves()) oids.push_back(work->leaf.oid);
  const pg::Result rows = co_await crew.env().observer.db().Query(
      "SELECT COALESCE(sum(pg_stat_get_tuples_updated(o)), 0)::bigint,"
      " COALESCE(sum(pg_stat_get_tuples_hot_updated(o)), 0)::bigint"
      " FROM unnest($1::bigint[]::oid[]) AS o",
      oids);
  co_return HotCounters{rows.Get<std::int64_t>(0, 0), rows.Get<std::int64_t>(0, 1)};
}

// What `throttle --set` asked for. A value that was refused is said once, in the remark.
class Wishes {
 public:
  void Apply(Crew& crew) {
    for (const auto& entry : crew.env().control.throttle) {
      const std::string key(entry.key());
      const std::string value = entry.value().as_string().c_str();
      if (const auto seen = applied_.find(key); seen != applied_.end() && seen->second == value)
        continue;
      applied_[key] = value;
      if (const auto refused = ApplyOne(crew, key, value)) crew.remark = *refused;
    }
  }

 private:
  static std::optional<std::string> ApplyOne(Crew& crew, const std::string& key,
                                             const std::string& value) {
    const auto wish = ReadWish(key, value);
    if (!wish) return crew.throttle().Set(key, value);
    if (!wish->refusal.empty()) return wish->refusal;
    if (wish->chunk_time) crew.SetChunkTime(*wish->chunk_time);
    if (wish->workers) crew.wanted_workers = *wish->workers;
    return std::nullopt;
  }

  std::map<std::string, std::string> applied_;
};

// Averages over about ten seconds; the range of the ETA comes from how much they vary.
class Rates {
 public:
  void Step(double seconds, double rows, double fraction) {
    constexpr double kWeight = 0.15;
    const double row_rate = (rows - rows_) / seconds;
    const double fraction_rate = (fraction - fraction_) / seconds;
    const bool first = !started_;
    started_ = true;
    rows_ = rows;
    fraction_ = fraction;
    if (first) return;
    rows_per_s_ = rows_per_s_ < 0 ? row_rate : rows_per_s_ + kWeight * (row_rate - rows_per_s_);
    fraction_per_s_ = fraction_per_s_ < 0
                          ? fraction_rate
                          : fraction_per_s_ + kWeight * (fraction_rate - fraction_per_s_);
  }
  void Publish(run::Progress& progress) const {
    progress.rows_per_s = std::max(rows_per_s_, 0.0);
    progress.eta_low_s = progress.eta_high_s = -1;
    if (fraction_per_s_ <= 0) return;
    const double left = (1 - progress.fraction) / fraction_per_s_;
    progress.eta_low_s = left * 0.8;
    progress.eta_high_s = left * 1.4;
  }

 private:
  bool started_ = false;
  double rows_ = 0;
  double fraction_ = 0;
  double rows_per_s_ = -1;
  double fraction_per_s_ = -1;
};

// Stripes that do not lead to HOT updates only cost: said, and given up.
class HotJudge {
 public:
  explicit HotJudge(const HotCounters& at_start) : at_start_(at_start), striped_from_(at_start) {}

  // Every few seconds, and whenever stripes have begun or ended: it is a statement each.
  [[nodiscard]] bool IsDue(const Crew& crew) {
    constexpr int kRounds = 8;
    return round_++ % kRounds == 0 || crew.pruning != pruning_;
  }

  void Step(Crew& crew, const HotCounters& now) {
    const bool began = crew.pruning && !pruning_;
    pruning_ = crew.pruning;
    if (const auto share = Share(at_start_, now)) crew.env().progress.hot_share = *share;
    // Plain ranges say nothing about stripes.
    if (!crew.pruning || began) striped_from_ = now;
    const auto share = Share(striped_from_, now);
    if (!share || *share >= kLeastHotShare || !crew.WouldStripe()) return;
    crew.hot_gave_up = true;
    crew.remark =
        fmt::format("only {:.0f} % of the updates stayed on their page: going on in plain ranges",
                    *share * 100);
  }

 private:
  static std::optional<double> Share(const HotCounters& before, const HotCounters& now) {
    constexpr std::int64_t kEnough = 50'000;
    const std::int64_t updated = now.updated - before.updated;
    if (updated < kEnough) return std::nullopt;
    return static_cast<double>(now.hot - before.hot) / static_cast<double>(updated);
  }

  HotCounters at_start_;
  HotCounters striped_from_;
  int round_ = 0;
  bool pruning_ = false;
};

}  // namespace

Task<> RunMonitor(Crew& crew) {
  constexpr Milliseconds kEvery{500};
  HotJudge hot(co_await ReadHot(crew));
  Wishes wishes;
  Rates rates;
  auto last = async::Clock::now();
  for (;;) {
    run::Progress& progress = crew.env().progress;
    wishes.Apply(crew);
    if (crew.TotalBlocks() > 0 && progress.phase == "backfill") progress.fraction = crew.Fraction();
    const auto now = async::Clock::now();
    rates.Step(std::max(std::chrono::duration<double>(now - last).count(), 0.001),
               static_cast<double>(crew.updated), progress.fraction);
    last = now;
    rates.Publish(progress);
    const throttle::Verdict verdict = crew.throttle().verdict();
    progress.throttle_ratio = verdict.ratio;
    progress.throttle_reason = verdict.reason;
    if (verdict.ratio <= 0) progress.eta_low_s = progress.eta_high_s = -1;  // nobody knows how long
    progress.remark = crew.remark;
    if (hot.IsDue(crew)) hot.Step(crew, co_await ReadHot(crew));
    co_await crew.env().stopper.SleepFor(kEvery);
  }
}

}  // namespace pgalter::backfill
