#include "batcher/rebuild/readers.h"

#include <fmt/format.h>

#include <utility>

#include "batcher/rebuild/matviews.h"
#include "batcher/rebuild/views_anew.h"
#include "engine/run/failure.h"

namespace pgalter::rebuild {

namespace {

std::string RemarkOn(const Twin& twin) {
  return fmt::format("materialized view {} is made anew, and {}", twin.of.name,
                     twin.of.populated ? "refreshed right before the cut-over, and before a revert"
                                       : "stays unpopulated");
}

std::string RemarkOn(const ViewAnew& view) {
  return fmt::format(
      "view {} is dropped and made anew in the cut-over, and in a revert, since a column under it "
      "changes its type",
      view.name);
}

Task<bool> HasReaders(Session& session, const std::vector<Replaced>& replaced,
                      dependants::Matviews matviews) {
  const std::vector<ViewAnew> views = co_await FindViewsAnew(session, replaced);
  if (!views.empty() || matviews == dependants::Matviews::kInTheWay) co_return !views.empty();
  const std::vector<Matview> followers = co_await ReadMatviews(session, replaced);
  co_return !followers.empty();
}

}  // namespace

Task<std::vector<std::string>> TryReaders(Session& session, std::vector<Stored> made,
                                          std::string tables, dependants::Matviews matviews) {
  std::vector<std::string> remarks;
  std::vector<Replaced> replaced;
  for (const Stored& stored : made) replaced.push_back({stored.source, stored.shadow});
  const bool any = co_await HasReaders(session, replaced, matviews);
  if (!any) co_return remarks;
  co_await session.db().Execute("SAVEPOINT pgalter_readers");
  // A query may count on keys, which the new tables get later.
  for (const Stored& stored : made)
    for (const Index& index : stored.definition.indexes) co_await MakeIndex(session, index);
  if (matviews == dependants::Matviews::kFollow) {
    for (const Twin& twin : co_await MakeTwins(session, replaced)) {
      remarks.push_back(RemarkOn(twin));
      replaced.push_back({twin.of.oid, twin.oid});
    }
  }
  const std::vector<ViewAnew> views = co_await FindViewsAnew(session, replaced);
  const std::string why = co_await WhyNotAnew(session, views, replaced);
  if (!why.empty())
    throw run::Failure(run::ExitCode::kRefused,
                       fmt::format("cannot rebuild {}: a column changes its type, for which views "
                                   "are dropped and made anew, but {}. Nothing was changed",
                                   tables, why));
  co_await TryViewsAnew(session, views, replaced, made.front().schema);
  for (const ViewAnew& view : views) remarks.push_back(RemarkOn(view));
  co_await session.db().Execute("ROLLBACK TO SAVEPOINT pgalter_readers");
  co_return remarks;
}

}  // namespace pgalter::rebuild
