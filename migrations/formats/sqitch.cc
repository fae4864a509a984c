// sqitch: sqitch.plan names the changes in their order; deploy/NAME.sql, revert/NAME.sql, and
// verify/NAME.sql, which only asks. A change that was reworked is planned twice: its older script
// is NAME@TAG.sql, TAG being the next in the plan. Run by psql as they stand.

#include <algorithm>
#include <map>

#include "migrations/formats/format.h"
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

struct Change {
  std::string name;
  std::string tag;  // the next one after it
};

std::vector<Change> ReadPlan(std::string_view text) {
  std::vector<Change> changes;
  std::size_t tagged = 0;
  Lines lines(text);
  while (const auto line = lines.Next()) {
    auto here = Trim(Cut(text, line->span));
    if (here.empty() || here[0] == '%' || here[0] == '#') continue;
    if (here[0] == '-') continue;
    if (here[0] == '+') here = Trim(here.substr(1));
    const std::string name(here.substr(0, here.find_first_of(" \t")));
    if (!name.starts_with('@')) {
      changes.push_back({name, ""});
      continue;
    }
    for (; tagged < changes.size(); ++tagged) changes[tagged].tag = name;
  }
  return changes;
}

Sequence Order(const Folder& folder) {
  Sequence sequence;
  const auto plan = FindPlan(folder);
  if (!plan) return NaturalOrder(folder, Plain());
  const std::string top = plan->substr(0, plan->size() - kPlan.size());
  const auto changes = ReadPlan(folder.Text(*plan).value_or(""));
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 0; i < changes.size(); ++i) last[changes[i].name] = i;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const bool reworked = last[changes[i].name] != i;
    const std::string script = changes[i].name + (reworked ? changes[i].tag : "") + ".sql";
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
