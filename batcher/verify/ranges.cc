#include "batcher/verify/ranges.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "batcher/verify/boundaries.h"
#include "engine/async/fail_point.h"
#include "engine/async/mutex.h"
#include "engine/async/task_group.h"

namespace pgalter::verify {

using capture::Flow;

namespace {

// The ranges of a walk, one after the other; any number of sessions take them.
class Ranges {
 public:
  Ranges(Comparison& comparison, const capture::Walk& walk, std::vector<std::string> columns,
         const boost::asio::any_io_executor& executor)
      : comparison_(comparison),
        walk_(walk),
        columns_(std::move(columns)),
        boundaries_(comparison.flow, walk),
        mutex_(executor) {
    if (comparison.options.from.walk == columns_) next_ = comparison.options.from.key;
  }

  Task<> Begin(Session& session) {
    const Flow& flow = comparison_.flow;
    const pg::Oid table = walk_.of_to ? flow.to_oid : flow.from_oid;
    const Size size = co_await EstimateSize(session, table);
    all_ = size.rows;
    co_await boundaries_.ReadSample(comparison_, session, next_, size);
  }

  Task<> Work(Session& session) {
    for (;;) {
      comparison_.stopper.ThrowIfStopping();
      if (at_end_ || comparison_.over()) co_return;
      const std::optional<Range> range = co_await Take(session);
      if (!range) co_return;
      pg::Params ends;
      for (const Key& key : {range->lower, range->upper})
        for (const std::string& value : key) ends.Add(value);
      std::string statement =
          capture::RangeStatement(comparison_.flow, walk_, EndsOf(range->lower, range->upper));
      const auto took = co_await CompareWindow(comparison_, session, std::move(statement),
                                               std::move(ends), unchecked_);
      if (comparison_.over()) co_return;
      open_.erase(range->number);
      done_ += range->rows;
      policy_.Done(range->rows, took);
      comparison_.options.on_window(
          std::min(1.0, static_cast<double>(done_) / std::max(all_, 1.0)));
      co_await Keep();
      async::FailPoint("range-compared");
      co_await comparison_.throttle.After(took, comparison_.stopper);
    }
  }

 private:
  struct Range {
    int number = 0;
    Key lower;
    Key upper;
    std::int64_t rows = 0;
  };

  // Where a range ends is known when it is looked for; the next one begins there.
  Task<std::optional<Range>> Take(Session& session) {
    co_await mutex_.Lock();
    const async::Held held(mutex_);
    if (at_end_) co_return std::nullopt;
    Range range;
    range.number = taken_++;
    range.lower = next_;
    range.rows = policy_.rows();
    open_[range.number] = range.lower;
    range.upper = co_await boundaries_.Next(session, range.lower, range.rows);
    next_ = range.upper;
    at_end_ = next_.empty();
    co_return range;
  }

  // Below the lowest range that is not done yet, everything is.
  Task<> Keep() {
    constexpr async::Milliseconds kEvery{2000};
    if (!comparison_.options.keep) co_return;
    co_await mutex_.Lock();
    const async::Held held(mutex_);
    const auto now = async::Clock::now();
    if (now - kept_ < async::LimitOf("compared-kept-every", kEvery)) co_return;
    kept_ = now;
    const Key low = open_.empty() ? next_ : open_.begin()->second;
    if (low.empty()) co_return;  // the first range, or the last one, which nobody has to go on from
    Mark mark;
    mark.walk = columns_;
    mark.key = low;
    co_await comparison_.options.keep(std::move(mark));
  }

  Comparison& comparison_;
  capture::Walk walk_;
  std::vector<std::string> columns_;
  double all_ = 0;
  Boundaries boundaries_;
  const std::optional<pg::Statement> unchecked_;
  async::Mutex mutex_;
  RowsPolicy policy_;
  std::int64_t done_ = 0;
  Key next_;
  bool at_end_ = false;
  int taken_ = 0;
  std::map<int, Key> open_;  // begun, by number: where they begin
  async::Clock::time_point kept_ = async::Clock::now();
};

std::vector<std::string> ColumnsOf(const Flow& flow, const capture::Walk& walk) {
  std::vector<std::string> columns;
  for (const std::size_t i : walk.columns) columns.push_back(flow.key[i].from);
  return columns;
}

}  // namespace

Task<> CompareByRanges(Comparison& comparison, std::vector<Session>& sessions,
                       const capture::Walk& walk) {
  const Flow& flow = comparison.flow;
  Ranges ranges(comparison, walk, ColumnsOf(flow, walk), co_await boost::asio::this_coro::executor);
  co_await ranges.Begin(sessions.front());
  auto crew = [&](async::TaskGroup& group) -> Task<> {
    for (Session& session : sessions) group.Spawn(ranges.Work(session));
    co_return;
  };
  co_await async::WithTaskGroup(crew);
}

}  // namespace pgalter::verify
