#include "batcher/verify/places.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "batcher/capture/compare_sql.h"
#include "engine/async/fail_point.h"
#include "engine/async/mutex.h"
#include "engine/async/task_group.h"

namespace pgalter::verify {

using backfill::IntervalSet;
using capture::Flow;
using capture::Part;

namespace {

constexpr std::size_t kGranulesATime = 256;
constexpr std::size_t kPartsATime = 32;
constexpr Block kMostBlocks = 4096;

// Which blocks each part has. nullopt: one is gone, or is not made of blocks that can be read from
// here to there (a foreign table, another access method).
Task<std::optional<std::vector<Stretch>>> ReadStretches(Session& session,
                                                        const std::vector<Part>& parts) {
  std::vector<std::string> oids;
  for (const Part& part : parts) oids.push_back(std::to_string(part.oid));
  const pg::Result rows = co_await session.db().Query(
      "SELECT pg_relation_size(c.oid) / current_setting('block_size')::int8"
      " FROM unnest($1::text[]::oid[]) WITH ORDINALITY AS p (oid, n) JOIN pg_class c USING (oid)"
      " JOIN pg_am m ON m.oid = c.relam WHERE c.relkind = 'r' AND m.amname = 'heap' ORDER BY p.n",
      oids);
  if (rows.rows() != static_cast<int>(parts.size())) co_return std::nullopt;
  std::vector<Stretch> stretches;
  for (std::size_t i = 0; i < parts.size(); ++i)
    stretches.push_back({parts[i].oid, 0, rows.Get<std::int64_t>(static_cast<int>(i), 0)});
  co_return stretches;
}

// Some rows at the beginning of a granule and some in its midst; fewer where there are many.
std::vector<std::string> SampledPlaces(const Stretch& granule, std::size_t granules) {
  constexpr std::array kOffsets{1, 5, 2, 9};
  constexpr std::size_t kMany = 8192;
  std::vector<std::string> places;
  for (const Block block : {granule.first, granule.first + granule.blocks() / 2})
    for (std::size_t i = 0; i < kOffsets.size() / (granules > kMany ? 2 : 1); ++i)
      places.push_back(fmt::format("({},{})", block, kOffsets.at(i)));
  return places;
}

// Consecutive granules of a few parts: as many as are asked about at a time.
struct Batch {
  std::vector<std::string> parts;  // names
  std::vector<std::size_t> first;  // granule of each
  std::size_t end = 0;             // of the last one
};

Batch BatchFrom(const std::vector<Stretch>& granules, std::size_t first,
                const std::map<pg::Oid, std::string>& names) {
  Batch batch;
  batch.end = first;
  for (; batch.end < granules.size() && batch.end - first < kGranulesATime; ++batch.end) {
    const pg::Oid part = granules[batch.end].part;
    if (batch.end > first && part == granules[batch.end - 1].part) continue;
    if (batch.parts.size() == kPartsATime) break;
    batch.parts.push_back(names.at(part));
    batch.first.push_back(batch.end);
  }
  return batch;
}

Task<> ReadSamples(Comparison& comparison, Session& session, const std::vector<Stretch>& granules,
                   const Batch& batch, std::vector<Sample>& samples) {
  co_await comparison.throttle.Admit(comparison.stopper);
  const auto begun = async::Clock::now();
  pg::Params params;
  for (std::size_t part = 0; part < batch.parts.size(); ++part) {
    std::vector<std::string> places;
    const std::size_t end = part + 1 < batch.parts.size() ? batch.first[part + 1] : batch.end;
    for (std::size_t i = batch.first[part]; i < end; ++i)
      for (std::string& place : SampledPlaces(granules[i], granules.size()))
        places.push_back(std::move(place));
    params.Add(places);
  }
  std::vector<pg::Statement> statements;
  statements.push_back({capture::WhereStatement(comparison.flow, batch.parts), std::move(params)});
  const auto results = co_await session.db().Pipeline(std::move(statements));
  const pg::Result& rows = results.front();
  const auto begins_behind = [](Block block, const Stretch& granule) {
    return block < granule.first;
  };
  for (int i = 0; i < rows.rows(); ++i) {
    const auto part = static_cast<std::size_t>(rows.Get<std::int64_t>(i, 0));
    const std::size_t end = part + 1 < batch.parts.size() ? batch.first[part + 1] : batch.end;
    const auto begin = granules.begin() + static_cast<std::ptrdiff_t>(batch.first[part]);
    const auto last = granules.begin() + static_cast<std::ptrdiff_t>(end);
    const auto behind = std::upper_bound(begin, last, rows.Get<std::int64_t>(i, 1), begins_behind);
    const auto granule = static_cast<std::size_t>(behind - granules.begin() - 1);
    samples.push_back({granule, rows.Get<pg::Oid>(i, 2), rows.Get<std::int64_t>(i, 3)});
  }
  co_await comparison.throttle.After(async::Clock::now() - begun, comparison.stopper);
}

Task<std::vector<Sample>> SampleAll(Comparison& comparison, Session& session,
                                    const std::vector<Part>& from,
                                    const std::vector<Stretch>& granules) {
  std::map<pg::Oid, std::string> names;
  for (const Part& part : from) names[part.oid] = part.name;
  std::vector<Sample> samples;
  for (std::size_t first = 0; first < granules.size();) {
    const Batch batch = BatchFrom(granules, first, names);
    co_await ReadSamples(comparison, session, granules, batch, samples);
    first = batch.end;
  }
  co_return samples;
}

// One table's parts, and what of them is compared.
class Side {
 public:
  Side(std::vector<Part> parts, const std::vector<Compared>& before)
      : parts_(ByOid(std::move(parts))),
        at_first_(StillTrue(parts_, before)),
        compared_(at_first_) {}

  void Add(const Stretch& blocks) { compared_[blocks.part].Add(blocks.first, blocks.end); }

  // What was not compared when this began.
  std::vector<capture::Extent> Rest(const std::vector<Stretch>& stretches) {
    std::vector<capture::Extent> rest;
    for (const Stretch& stretch : stretches) {
      const IntervalSet& done = at_first_[stretch.part];
      Block at = stretch.first;
      while (const auto gap = done.Gap(at, stretch.end)) {
        rest.push_back({parts_.at(stretch.part).name, gap->first, gap->second});
        at = gap->second;
      }
    }
    return rest;
  }

  [[nodiscard]] std::vector<Compared> compared() const {
    std::vector<Compared> all;
    for (const auto& [part, set] : compared_)
      for (const auto& [first, end] : set.intervals())
        all.push_back({{part, first, end}, parts_.at(part).filenode});
    return all;
  }

  void Files(std::vector<std::string>& oids, std::vector<std::string>& files) const {
    for (const auto& [oid, part] : parts_) {
      oids.push_back(std::to_string(oid));
      files.push_back(std::to_string(part.filenode));
    }
  }

 private:
  using Parts = std::map<pg::Oid, Part>;
  using Sets = std::map<pg::Oid, IntervalSet>;

  static Parts ByOid(std::vector<Part> parts) {
    Parts all;
    for (Part& part : parts) all.emplace(part.oid, std::move(part));
    return all;
  }
  // What was compared in files that are the same still.
  static Sets StillTrue(const Parts& parts, const std::vector<Compared>& before) {
    Sets sets;
    for (const Compared& one : before) {
      const auto part = parts.find(one.blocks.part);
      if (part == parts.end()) continue;
      const bool same = part->second.filenode == one.filenode;
      if (same || !async::SafeguardOn("compared-files"))
        sets[one.blocks.part].Add(one.blocks.first, one.blocks.end);
    }
    return sets;
  }

  Parts parts_;
  Sets at_first_;
  Sets compared_;
};

// The slices of a layout; any number of sessions take them.
class Places {
 public:
  Places(Comparison& comparison, Layout layout, const boost::asio::any_io_executor& executor)
      : comparison_(comparison),
        slices_(std::move(layout.slices)),
        rows_per_block_(layout.rows_per_block),
        all_(layout.rows),
        from_(std::move(layout.from), comparison.options.from.from),
        to_(std::move(layout.to), comparison.options.from.to),
        mutex_(executor) {
    std::vector<std::string> oids;
    std::vector<std::string> files;
    from_.Files(oids, files);
    to_.Files(oids, files);
    if (!async::SafeguardOn("compared-files")) return;
    check_ = pg::Statement{
        "SELECT NOT EXISTS (SELECT FROM unnest($1::text[]::oid[], $2::text[]::oid[]) AS f (oid, "
        "file)"
        " WHERE pg_catalog.pg_relation_filenode(f.oid) IS DISTINCT FROM f.file)",
        pg::Params::Of(oids, files)};
  }

  Task<> Work(Session& session) {
    while (!comparison_.over()) {
      comparison_.stopper.ThrowIfStopping();
      const std::int64_t rows = policy_.rows();
      const std::optional<Slice> slice = slices_.Take(BlocksOf(rows));
      if (!slice) co_return;
      const std::vector<capture::Extent> from = from_.Rest(slice->from);
      const std::vector<capture::Extent> to = to_.Rest(slice->to);
      done_ += static_cast<double>(rows);
      if (from.empty() && to.empty()) continue;
      std::string statement = capture::SliceStatement(comparison_.flow, from, to);
      const auto took =
          co_await CompareWindow(comparison_, session, std::move(statement), no_params_, check_);
      if (comparison_.over()) co_return;
      for (const Stretch& stretch : slice->from) from_.Add(stretch);
      for (const Stretch& stretch : slice->to) to_.Add(stretch);
      policy_.Done(rows, took);
      comparison_.options.on_window(std::min(1.0, done_ / std::max(all_, 1.0)));
      co_await Keep();
      async::FailPoint("slice-compared");
      co_await comparison_.throttle.After(took, comparison_.stopper);
    }
  }

 private:
  [[nodiscard]] Block BlocksOf(std::int64_t rows) const {
    const double blocks = static_cast<double>(rows) / std::max(rows_per_block_, 1.0);
    return std::clamp(static_cast<Block>(blocks), Block{1}, kMostBlocks);
  }

  Task<> Keep() {
    constexpr async::Milliseconds kEvery{2000};
    if (!comparison_.options.keep) co_return;
    co_await mutex_.Lock();
    const async::Held held(mutex_);
    const auto now = async::Clock::now();
    if (now - kept_ < async::LimitOf("compared-kept-every", kEvery)) co_return;
    kept_ = now;
    Mark mark;
    mark.from = from_.compared();
    mark.to = to_.compared();
    co_await comparison_.options.keep(std::move(mark));
  }

  Comparison& comparison_;
  Slices slices_;
  double rows_per_block_;
  double all_;
  Side from_;
  Side to_;
  const pg::Params no_params_;
  std::optional<pg::Statement> check_;
  async::Mutex mutex_;
  RowsPolicy policy_;
  double done_ = 0;
  async::Clock::time_point kept_ = async::Clock::now();
};

}  // namespace

Task<std::optional<Layout>> ReadLayout(Comparison& comparison, Session& session) {
  const Flow& flow = comparison.flow;
  std::vector<Part> from = co_await capture::ReadSourceParts(session, flow);
  std::vector<Part> to = co_await capture::ReadParts(session, flow.to_oid);
  const auto ours = co_await ReadStretches(session, from);
  auto theirs = co_await ReadStretches(session, to);
  if (!ours || !theirs) co_return std::nullopt;
  std::vector<Stretch> granules = CutIntoGranules(*ours);
  if (granules.size() > kMostGranules) co_return std::nullopt;
  const std::vector<Sample> samples = co_await SampleAll(comparison, session, from, granules);
  std::optional<Slices> slices = Slices::Of(std::move(granules), std::move(*theirs), samples);
  if (!slices) co_return std::nullopt;
  Layout layout{std::move(from), std::move(to), std::move(*slices)};
  const Size size = co_await EstimateSizeOf(session, flow.source_oids());
  layout.rows = size.rows;
  Block blocks = 1;
  for (const Stretch& one : *ours) blocks += one.blocks();
  constexpr double kNotAnalyzed = 50;
  layout.rows_per_block =
      layout.rows > 0 ? layout.rows / static_cast<double>(blocks) : kNotAnalyzed;
  co_return layout;
}

Task<> CompareByPlaces(Comparison& comparison, std::vector<Session>& sessions, Layout layout) {
  const std::vector<Part> from = layout.from;
  const std::vector<Part> to = layout.to;
  Places places(comparison, std::move(layout), co_await boost::asio::this_coro::executor);
  auto crew = [&](async::TaskGroup& group) -> Task<> {
    for (Session& session : sessions) group.Spawn(places.Work(session));
    co_return;
  };
  co_await async::WithTaskGroup(crew);
  // A part that was detached keeps its file.
  co_await CheckParts(comparison, sessions.front(), from, to);
}

}  // namespace pgalter::verify
