#include "batcher/verify/leaves.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "batcher/capture/compare_sql.h"
#include "engine/async/fail_point.h"
#include "engine/async/mutex.h"
#include "engine/async/task_group.h"

namespace pgalter::verify {

using capture::Flow;
using capture::Part;

namespace {

// As the parts of a flow are read, with what tells a leaf's place. Key columns with their types:
// the same text may be another order.
constexpr const char* kLeaves = R"sql(
WITH RECURSIVE tree (oid, relkind, since, place) AS (
  SELECT oid, relkind, '', '' COLLATE "C" FROM pg_class WHERE oid = $1
  UNION ALL
  SELECT c.oid, c.relkind, t.since || '/' || i.xmin,
         concat_ws(E'\n', t.place, pg_get_partkeydef(t.oid),
           (SELECT string_agg(concat_ws(' ', a.attname, a.atttypid, a.atttypmod, a.attcollation),
                              ',' ORDER BY a.attname)
            FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid
              AND a.attnum = ANY (p.partattrs::int2[]) AND a.attnum > 0
            WHERE p.partrelid = t.oid),
           pg_get_expr(c.relpartbound, c.oid)) COLLATE "C"
  FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid AND NOT i.inhdetachpending
  JOIN pg_class c ON c.oid = i.inhrelid
  WHERE t.relkind = 'p')
SELECT t.oid, format('%I.%I', n.nspname, c.relname), c.relfilenode, t.since, t.place,
       coalesce((pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0))
                / current_setting('block_size')::int8, 0),
       coalesce(pg_relation_size(c.oid) / current_setting('block_size')::float8
         * CASE WHEN c.reltuples > 0 AND c.relpages > 0 THEN c.reltuples / c.relpages ELSE 50 END,
                0)::float8,
       c.relkind = 'r' AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)
FROM tree t JOIN pg_class c ON c.oid = t.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind <> 'p' ORDER BY t.oid
)sql";

Task<std::optional<std::vector<Leaf>>> ReadLeaves(Session& session, pg::Oid table) {
  const pg::Result rows = co_await session.db().Query(kLeaves, table);
  std::vector<Leaf> leaves;
  for (int i = 0; i < rows.rows(); ++i) {
    if (!rows.Get<bool>(i, 7)) co_return std::nullopt;
    Leaf leaf;
    leaf.part = {rows.Get<pg::Oid>(i, 0), rows.Get<std::string>(i, 1), rows.Get<pg::Oid>(i, 2),
                 rows.Get<std::string>(i, 3)};
    leaf.place = rows.Get<std::string>(i, 4);
    leaf.blocks = rows.Get<std::int64_t>(i, 5);
    leaf.rows = rows.Get<double>(i, 6);
    leaves.push_back(std::move(leaf));
  }
  co_return leaves;
}

// Whether they are what they were when they were read, by number, file and name.
pg::Statement CheckOf(const std::vector<LeafPair>& pairs) {
  std::vector<std::string> oids;
  std::vector<std::string> files;
  std::vector<std::string> names;
  for (const LeafPair& pair : pairs) {
    for (const Part* part : {&pair.from.part, &pair.to.part}) {
      oids.push_back(std::to_string(part->oid));
      files.push_back(std::to_string(part->filenode));
      names.push_back(part->name);
    }
  }
  return {
      "SELECT NOT EXISTS (SELECT FROM unnest($1::text[]::oid[], $2::text[]::oid[], $3::text[])"
      " AS f (oid, file, name)"
      " WHERE pg_catalog.pg_relation_filenode(f.oid) IS DISTINCT FROM f.file"
      " OR pg_catalog.to_regclass(f.name)::oid IS DISTINCT FROM f.oid)",
      pg::Params::Of(oids, files, names)};
}

// Of a large leaf the key up to which it is compared counts for this leaf alone.
std::string LabelOf(const LeafPair& pair) {
  return fmt::format("leaf {}/{} {}/{}", pair.from.part.oid, pair.from.part.filenode,
                     pair.to.part.oid, pair.to.part.filenode);
}

bool IsIn(const std::vector<Compared>& done, const Part& part) {
  return std::ranges::any_of(done, [&part](const Compared& one) {
    return one.blocks.part == part.oid && one.blocks.first == 0 &&
           one.blocks.end == capture::kToTheEnd &&
           (one.filenode == part.filenode || !async::SafeguardOn("compared-files"));
  });
}

Compared Whole(const Part& part) { return {{part.oid, 0, capture::kToTheEnd}, part.filenode}; }

// The pairs of two trees; any number of sessions take the small ones.
class Leaves {
 public:
  Leaves(Comparison& comparison, std::vector<LeafPair> pairs,
         const boost::asio::any_io_executor& executor)
      : comparison_(comparison), mutex_(executor) {
    const Mark& before = comparison.options.from;
    for (LeafPair& pair : pairs) {
      all_ += Weight(pair);
      if (IsIn(before.from, pair.from.part) && IsIn(before.to, pair.to.part)) {
        Done(pair);
      } else {
        (IsSmall(pair) ? small_ : large_).push_back(std::move(pair));
      }
    }
  }

  [[nodiscard]] const std::vector<LeafPair>& large() const { return large_; }
  [[nodiscard]] bool over() const { return !alike_ || comparison_.over(); }
  [[nodiscard]] bool alike() const { return alike_; }

  Task<> WorkOnSmall(Session& session) {
    while (!over()) {
      comparison_.stopper.ThrowIfStopping();
      if (next_ == small_.size()) co_return;
      const auto begin = small_.begin() + static_cast<std::ptrdiff_t>(next_);
      const std::size_t count = CountForAStatement(small_, next_, policy_.rows());
      next_ += count;
      const std::vector<LeafPair> pairs(begin, begin + static_cast<std::ptrdiff_t>(count));
      const auto took = co_await CompareWhole(session, pairs);
      if (over()) co_return;
      double rows = 0;
      for (const LeafPair& pair : pairs) {
        rows += pair.from.rows;
        Done(pair);
      }
      policy_.Done(std::max<std::int64_t>(static_cast<std::int64_t>(rows), 1), took);
      Show(0);
      co_await Keep(none_);
      async::FailPoint("leaves-compared");
      co_await comparison_.throttle.After(took, comparison_.stopper);
    }
  }

  Task<> WorkOnLarge(std::vector<Session>& sessions, const LeafPair& pair) {
    CompareOptions options;
    options.from = MarkOf(pair);
    options.on_window = [&](double share) { Show(share * Weight(pair)); };
    if (comparison_.options.keep)
      options.keep = [&](Mark mark) -> Task<> {
        Mark labelled = Labelled(pair, std::move(mark));
        co_await Keep(std::move(labelled));
      };
    const Flow flow = FlowOf(pair);
    Comparison own{flow, comparison_.throttle, comparison_.stopper, options, {}, false};
    co_await CompareRows(own, sessions);
    comparison_.moved = comparison_.moved || own.moved;
    if (over()) co_return;
    if (!own.differences.empty()) co_await LookUp(sessions.front(), pair);
    if (over()) co_return;
    Done(pair);
    Show(0);
    co_await Keep(none_);
  }

 private:
  static double Weight(const LeafPair& pair) {
    return static_cast<double>(1 + pair.from.blocks + pair.to.blocks);
  }

  void Done(const LeafPair& pair) {
    done_ += Weight(pair);
    compared_.from.push_back(Whole(pair.from.part));
    compared_.to.push_back(Whole(pair.to.part));
  }

  void Show(double more) { comparison_.options.on_window(std::min(1.0, (done_ + more) / all_)); }

  Flow FlowOf(const LeafPair& pair) const {
    Flow flow = comparison_.flow;
    flow.from = pair.from.part.name;
    flow.from_oid = pair.from.part.oid;
    flow.from_partitioned = false;
    flow.to = pair.to.part.name;
    flow.to_oid = pair.to.part.oid;
    flow.to_partitioned = false;
    return flow;
  }

  Task<async::Clock::duration> CompareWhole(Session& session, const std::vector<LeafPair>& pairs) {
    const Flow& flow = comparison_.flow;
    std::vector<std::string> from;
    std::vector<std::string> to;
    std::string locked;
    for (const LeafPair& pair : pairs) {
      from.push_back(pair.from.part.name);
      to.push_back(pair.to.part.name);
      locked +=
          fmt::format("{}ONLY {}, ONLY {}", locked.empty() ? "" : ", ", from.back(), to.back());
    }
    const pg::Params none;
    const std::optional<pg::Statement> check = CheckOf(pairs);
    Comparison own{flow, comparison_.throttle, comparison_.stopper, comparison_.options, {}, false};
    std::string statement = capture::WholePartsStatement(flow, from, to);
    const auto took =
        co_await CompareWindow(own, session, std::move(statement), none, check, locked);
    comparison_.moved = comparison_.moved || own.moved;
    if (!own.differences.empty() && !over()) {
      std::string anywhere = capture::SliceStatement(flow, Extents(from), Extents(to));
      co_await Believe(CompareWindow(comparison_, session, std::move(anywhere), none, check));
    }
    co_return took;
  }

  static std::vector<capture::Extent> Extents(const std::vector<std::string>& parts) {
    std::vector<capture::Extent> extents;
    for (const std::string& part : parts) extents.push_back({part, 0, capture::kToTheEnd});
    return extents;
  }

  // What a comparison with the whole trees finds counts; where it finds nothing they are not alike.
  template <class Found>
  Task<> Believe(Found task) {
    const std::size_t before = comparison_.differences.size();
    co_await std::move(task);
    if (!comparison_.moved && comparison_.differences.size() == before) alike_ = false;
  }

  Task<> LookUp(Session& session, const LeafPair& pair) {
    const std::vector<Part> from{pair.from.part};
    const std::vector<Part> to{pair.to.part};
    const capture::Lookup lookup = capture::Lookup::kByIndex;
    co_await Believe(CompareByBlocks(comparison_, session, from, to, lookup));
  }

  Mark MarkOf(const LeafPair& pair) const {
    Mark mark = comparison_.options.from;
    if (mark.walk.empty() || mark.walk.front() != LabelOf(pair)) {
      mark.walk.clear();
      mark.key.clear();
    } else {
      mark.walk.erase(mark.walk.begin());
    }
    return mark;
  }

  static Mark Labelled(const LeafPair& pair, Mark mark) {
    if (!mark.walk.empty()) mark.walk.insert(mark.walk.begin(), LabelOf(pair));
    return mark;
  }

  // With how far the leaf has come that is at work.
  Task<> Keep(Mark mark) {
    constexpr async::Milliseconds kEvery{2000};
    if (!comparison_.options.keep) co_return;
    co_await mutex_.Lock();
    const async::Held held(mutex_);
    const auto now = async::Clock::now();
    if (now - kept_ < async::LimitOf("compared-kept-every", kEvery)) co_return;
    kept_ = now;
    mark.from.insert(mark.from.end(), compared_.from.begin(), compared_.from.end());
    mark.to.insert(mark.to.end(), compared_.to.begin(), compared_.to.end());
    co_await comparison_.options.keep(std::move(mark));
  }

  Comparison& comparison_;
  std::vector<LeafPair> small_;
  std::vector<LeafPair> large_;
  std::size_t next_ = 0;  // of the small ones
  RowsPolicy policy_;
  double all_ = 1;
  double done_ = 0;
  Mark compared_;
  const Mark none_;
  bool alike_ = true;
  async::Mutex mutex_;
  async::Clock::time_point kept_ = async::Clock::now();
};

std::vector<Part> PartsOf(const std::vector<LeafPair>& pairs, Leaf LeafPair::*side) {
  std::vector<Part> parts;
  for (const LeafPair& pair : pairs) parts.push_back((pair.*side).part);
  std::ranges::sort(parts, {}, &Part::oid);
  return parts;
}

}  // namespace

Task<std::optional<std::vector<LeafPair>>> ReadLeafPairs(Session& session, const Flow& flow) {
  if (!flow.from_partitioned || !flow.to_partitioned) co_return std::nullopt;
  const auto from = co_await ReadLeaves(session, flow.from_oid);
  const auto to = co_await ReadLeaves(session, flow.to_oid);
  if (!from || !to) co_return std::nullopt;
  co_return PairLeaves(*from, *to);
}

Task<bool> CompareByLeaves(Comparison& comparison, std::vector<Session>& sessions,
                           std::vector<LeafPair> pairs) {
  const std::vector<Part> from = PartsOf(pairs, &LeafPair::from);
  const std::vector<Part> to = PartsOf(pairs, &LeafPair::to);
  Leaves leaves(comparison, std::move(pairs), co_await boost::asio::this_coro::executor);
  auto crew = [&](async::TaskGroup& group) -> Task<> {
    for (Session& session : sessions) group.Spawn(leaves.WorkOnSmall(session));
    co_return;
  };
  co_await async::WithTaskGroup(crew);
  for (const LeafPair& pair : leaves.large()) {
    if (leaves.over()) break;
    co_await leaves.WorkOnLarge(sessions, pair);
  }
  if (!leaves.alike()) {
    comparison.differences.clear();
    co_return false;
  }
  // A part that was detached keeps its file.
  co_await CheckParts(comparison, sessions.front(), from, to);
  co_return true;
}

}  // namespace pgalter::verify
