// sqitch: sqitch.plan names the changes in their order; deploy/NAME.sql, revert/NAME.sql, and
// verify/NAME.sql, which only asks. A change that was reworked is planned twice: its older script
// is NAME@TAG.sql, TAG being the next in the plan. Run by psql as they stand.

#include <algorithm>

#include "migrations/formats/format.h"
#include "migrations/formats/sqitch_plan.h"
#include "migrations/formats/text.h"

namespace pgalter::formats {
namespace {

constexpr std::string_view kPlan = "sqitch.plan";

std::optional<std::string> FindPlan(const Folder& folder) {
  for (const std::string& file : folder.files())
    if (FileName(file) == kPlan) return file;
  return std::nullopt;
}

bool MarksFolder(const Folder& folder) { return FindPlan(folder).has_value(); }

Sequence Order(const Folder& folder) {
  Sequence sequence;
  const auto plan = FindPlan(folder);
  if (!plan) return NaturalOrder(folder, Plain());
  const std::string top = plan->substr(0, plan->size() - kPlan.size());
  const SqitchPlan planned = ReadSqitchPlan(folder.Text(*plan).value_or(""));
  for (const SqitchChange& change : planned.changes) {
    const std::string script = change.script + ".sql";
    const std::string deploy = top + "deploy/" + script;
    if (folder.Has(deploy)) {
      sequence.up.push_back(deploy);
    } else {
      sequence.notes.push_back(deploy + " is planned in " + *plan + ", but is not there");
    }
    if (folder.Has(top + "revert/" + script)) sequence.down.push_back(top + "revert/" + script);
  }
  for (const std::string& file : folder.files())
    if (file.starts_with(top + "deploy/") && IsSql(file) &&
        std::ranges::find(sequence.up, file) == sequence.up.end())
      sequence.notes.push_back(file + " is in no line of " + *plan + ", and left out");
  std::ranges::reverse(sequence.down);
  return sequence;
}

bool IsWayDown(std::string_view path) { return DirectoryName(path) == "revert"; }

}  // namespace

extern const Format kSqitch;
const Format kSqitch{.name = "sqitch",
                     .marks_folder = &MarksFolder,
                     .is_down = &IsWayDown,
                     .order = &Order,
                     .psql = true};

}  // namespace pgalter::formats
