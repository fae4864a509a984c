#include "migrations/writeback/reconcile.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace pgalter::writeback {

namespace {

using history::Applied;
using history::Difference;
using history::Migration;
using history::State;

// In both, and one of them does not hold it for done. That the tool was told says that our last
// step is done, and its run only has to come to its end.
void CompareBegun(const Applied& row, const std::set<std::string>& told, std::string_view called,
                  Reconciliation& found) {
  if (row.state != State::kApplying || told.contains(row.version)) return;
  found.divergences.push_back(
      {Difference::kByHand, row.version,
       fmt::format("{} has applied {}, which pgalter has half applied (run {})", called,
                   row.version, row.run),
       fmt::format("take back what pgalter did of it: pgalter revert {} --yes; what {} did counts "
                   "as applied then",
                   row.run, called)});
}

}  // namespace

Reconciliation Reconcile(const history::Collection& collection, const std::vector<Applied>& ours,
                         const std::set<std::string>& told, const history::ForeignHistory& theirs,
                         std::string_view called) {
  Reconciliation found;
  const history::Adoption adoption = history::Adopt(collection, theirs);
  for (const std::string& difference : adoption.differences)
    found.divergences.push_back(
        {Difference::kDeleted, "", difference,
         fmt::format("bring the file back as it was: git log --all -- {}; or take the row out with "
                     "{} itself",
                     collection.directory.string(), called)});
  for (const std::string& version : adoption.failed)
    found.divergences.push_back({Difference::kByHand, version,
                                 fmt::format("{} holds {} for half done", called, version),
                                 history::HowToMend(theirs.format, version)});
  std::map<std::string, const Applied*> known;
  for (const Applied& row : ours) known[row.version] = &row;
  std::set<std::string> there;
  for (const Migration* migration : adoption.applied) {
    there.insert(migration->version);
    const auto row = known.find(migration->version);
    if (row == known.end()) {
      found.applied.push_back(migration);
    } else {
      CompareBegun(*row->second, told, called, found);
    }
  }
  for (const Migration& migration : collection.migrations) {
    const auto row = known.find(migration.version);
    if (row == known.end() || there.contains(migration.version)) continue;
    if (row->second->state == State::kApplying || row->second->state == State::kReverting) continue;
    if (told.contains(migration.version)) {
      found.taken_back.push_back(migration.version);
    } else {
      found.untold.push_back(&migration);
    }
  }
  return found;
}

std::vector<Applied> Overlaid(std::vector<Applied> ours, const Reconciliation& reconciliation,
                              std::string_view called) {
  std::erase_if(ours, [&](const Applied& row) {
    return std::ranges::find(reconciliation.taken_back, row.version) !=
           reconciliation.taken_back.end();
  });
  for (const Migration* migration : reconciliation.applied) {
    Applied row;
    row.version = migration->version;
    row.title = migration->title;
    row.file = migration->file;
    row.format = migration->format;
    row.sums = migration->sums;
    row.state = State::kBaseline;
    row.applied_by = called;
    ours.push_back(std::move(row));
  }
  return ours;
}

}  // namespace pgalter::writeback
