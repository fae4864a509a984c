#include "migrations/history/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <stdexcept>

#include "migrations/history/exclusion.h"

namespace pgalter::history {

namespace {

struct StateName {
  State state;
  std::string_view name;
};
constexpr std::array kStates{
    StateName{State::kApplying, "applying"}, StateName{State::kUnverified, "unverified"},
    StateName{State::kApplied, "applied"},   StateName{State::kReverting, "reverting"},
    StateName{State::kBaseline, "baseline"},
};

using ByVersion = std::map<std::string, const Applied*>;

ByVersion Index(const std::vector<Applied>& applied) {
  ByVersion index;
  for (const Applied& row : applied) index[row.version] = &row;
  return index;
}

std::string Repair(const std::string& version) {
  return fmt::format("pgalter repair {} --yes", version);
}

// Alembic's own files are a graph: of two branches neither stands before the other.
bool IsOfGraph(const Migration& migration) {
  return migration.format == "alembic" && migration.file.ends_with(".py");
}

class Comparing {
 public:
  Comparing(const std::vector<Migration>& migrations, const std::vector<Applied>& applied,
            Order order)
      : migrations_(migrations), applied_(applied), order_(order), index_(Index(applied)) {}

  std::vector<Divergence> Compare();

 private:
  void Add(Difference difference, const std::string& version, std::string what, std::string next) {
    found_.push_back({difference, version, std::move(what), std::move(next)});
  }
  void CompareOne(const Migration& migration, const Applied& row);
  void CompareSums(const Migration& migration, const Applied& row);
  void FindDuplicates();
  void FindOutOfOrder();
  void FindDependencies();
  void FindDeleted();
  // One that is applied stands on it.
  [[nodiscard]] bool IsNeeded(const Migration& migration) const;
  // A migration that is not applied and does what a row says, which has no file.
  [[nodiscard]] const Migration* FindRenumbered(const Applied& row) const;

  const std::vector<Migration>& migrations_;
  const std::vector<Applied>& applied_;
  Order order_;
  ByVersion index_;
  std::set<std::string> renumbered_;  // versions that are explained
  std::vector<Divergence> found_;
};

void Comparing::CompareSums(const Migration& migration, const Applied& row) {
  if (row.sums.bytes == migration.sums.bytes) return;
  if (row.sums.text == migration.sums.text) {
    Add(Difference::kLineEnds, row.version,
        fmt::format("{} has other line ends, or another byte order mark, than when it was applied; "
                    "what it does is the same",
                    migration.file),
        fmt::format("take it as it is now: {}; or give it back its line ends (git config "
                    "core.autocrlf)",
                    Repair(row.version)));
  } else if (row.sums.statements == migration.sums.statements) {
    Add(Difference::kCosmetic, row.version,
        fmt::format("{} was edited after it was applied, in comments, the header, the way down or "
                    "what verifies it; what was applied is the same",
                    migration.file),
        fmt::format("take it as it is now: {}", Repair(row.version)));
  } else if (row.state == State::kApplying) {
    Add(Difference::kEdited, row.version,
        fmt::format("{} is half applied (run {} is {}), and its statements were edited since",
                    migration.file, row.run, row.run_state),
        fmt::format("take back what was done: pgalter revert {} --yes; then: pgalter up", row.run));
  } else {
    Add(Difference::kEdited, row.version,
        fmt::format("{} was edited after it was applied: its statements are others than those that "
                    "were run (SHA-256 {:.12} then, {:.12} now)",
                    migration.file, row.sums.bytes, migration.sums.bytes),
        fmt::format("bring the file back (git log -- {}) and write a new migration; or, if the "
                    "database is as the file says now: {}",
                    migration.file, Repair(row.version)));
  }
}

void Comparing::CompareOne(const Migration& migration, const Applied& row) {
  if (row.format != migration.format)
    Add(Difference::kFormat, row.version,
        fmt::format("{} was taken for a file of {} when it was applied, and is read as one of {} "
                    "now: another part of it may be its way up",
                    migration.file, row.format, migration.format),
        fmt::format("say whose it is: --format {}, or format of [migrations] in pgalter.toml; or, "
                    "if {} is right: {}",
                    row.format, migration.format, Repair(row.version)));
  if (row.state == State::kBaseline) return;  // was never run by us
  CompareSums(migration, row);
  if (row.file != migration.file)
    Add(Difference::kRenamed, row.version,
        fmt::format("{} was called {} when it was applied", migration.file, row.file),
        fmt::format("take the new name: {}; or: git mv {} {}", Repair(row.version), migration.file,
                    row.file));
}

std::string HowToRenumber(const Migration& migration) {
  const std::string_view which = "the one of them that is not applied anywhere";
  if (migration.format != "pgalter" && migration.format != "plain")
    return fmt::format("give {} a version of its own, as {} makes them", which, migration.format);
  return fmt::format("pgalter renumber {}, if that is {}", migration.file, which);
}

void Comparing::FindDuplicates() {
  std::map<std::string, const Migration*> first;
  for (const Migration& migration : migrations_) {
    const auto [found, fresh] =
        first.try_emplace(VersionKey(migration.format, migration.version), &migration);
    if (fresh) continue;
    const std::string& other = found->second->version;
    Add(Difference::kDuplicate, migration.version,
        fmt::format("{} and {} have the same version {}", found->second->file, migration.file,
                    other == migration.version
                        ? other
                        : fmt::format("({} and {} are one number)", other, migration.version)),
        HowToRenumber(migration));
  }
}

bool Comparing::IsNeeded(const Migration& migration) const {
  return std::ranges::any_of(migrations_, [&](const Migration& other) {
    return index_.contains(other.version) &&
           std::ranges::find(other.depends_on, migration.version) != other.depends_on.end();
  });
}

void Comparing::FindOutOfOrder() {
  if (order_ == Order::kAny) return;
  std::set<std::string> excluded;  // where each comes to stand is not the question
  for (const Exclusion& pair : ExclusionsOf(migrations_))
    if (index_.contains(pair.later->version)) excluded.insert(pair.earlier->version);
  std::size_t last = 0;
  for (std::size_t i = 0; i < migrations_.size(); ++i)
    if (index_.contains(migrations_[i].version)) last = i + 1;
  for (std::size_t i = 0; i < last; ++i) {
    const Migration& migration = migrations_[i];
    if (index_.contains(migration.version) || renumbered_.contains(migration.version)) continue;
    if (excluded.contains(migration.version)) continue;
    if (IsOfGraph(migration) && !IsNeeded(migration)) continue;
    Add(Difference::kOutOfOrder, migration.version,
        fmt::format("{} is not applied and stands before {}, which is", migration.file,
                    migrations_[last - 1].file),
        "apply it all the same: pgalter up --out-of-order; or give it a version behind the last "
        "one");
  }
}

void Comparing::FindDependencies() {
  std::set<std::string> before;
  std::set<std::string> all;
  for (const Migration& migration : migrations_) all.insert(migration.version);
  for (const Migration& migration : migrations_) {
    for (const std::string& wanted : migration.depends_on) {
      if (before.contains(wanted) || index_.contains(wanted)) continue;
      Add(Difference::kDependency, migration.version,
          all.contains(wanted)
              ? fmt::format("{} depends on {}, which comes behind it", migration.file, wanted)
              : fmt::format("{} depends on {}, which is not there", migration.file, wanted),
          "correct depends_on in its header, or the versions");
    }
    before.insert(migration.version);
  }
}

const Migration* Comparing::FindRenumbered(const Applied& row) const {
  const auto found = std::ranges::find_if(migrations_, [&](const Migration& migration) {
    return migration.sums.statements == row.sums.statements && !index_.contains(migration.version);
  });
  return found == migrations_.end() ? nullptr : &*found;
}

void Comparing::FindDeleted() {
  std::set<std::string> there;
  for (const Migration& migration : migrations_) there.insert(migration.version);
  for (const Applied& row : applied_) {
    if (there.contains(row.version) || row.state == State::kBaseline) continue;
    if (const Migration* now = FindRenumbered(row)) {
      renumbered_.insert(now->version);
      Add(Difference::kRenumbered, row.version,
          fmt::format("{} (version {}) was applied as {}, version {}", now->file, now->version,
                      row.file, row.version),
          fmt::format("take the new version: pgalter repair {} --version-now {} --yes; or: git mv "
                      "{} {}",
                      row.version, now->version, now->file, row.file));
      continue;
    }
    Add(Difference::kDeleted, row.version,
        fmt::format("{} (version {}) is applied, and its file is not there", row.file, row.version),
        fmt::format("bring it back: git log --diff-filter=D -- {}; or forget that it was applied: "
                    "pgalter repair {} --forget --yes",
                    row.file, row.version));
  }
}

std::vector<Divergence> Comparing::Compare() {
  FindDuplicates();
  for (const Migration& migration : migrations_) {
    const auto row = index_.find(migration.version);
    if (row != index_.end()) CompareOne(migration, *row->second);
  }
  FindDeleted();
  FindOutOfOrder();
  FindDependencies();
  return std::move(found_);
}

}  // namespace

std::string_view Name(State state) {
  return std::ranges::find(kStates, state, &StateName::state)->name;
}

State ParseState(std::string_view name) {
  const auto* found = std::ranges::find(kStates, name, &StateName::name);
  if (found == kStates.end()) throw std::logic_error(fmt::format("no such state: {}", name));
  return found->state;
}

std::vector<Divergence> Compare(const std::vector<Migration>& migrations,
                                const std::vector<Applied>& applied, Order order) {
  return Comparing(migrations, applied, order).Compare();
}

std::vector<std::size_t> PendingOf(const std::vector<Migration>& migrations,
                                   const std::vector<Applied>& applied) {
  const ByVersion index = Index(applied);
  std::vector<std::size_t> pending;
  for (std::size_t i = 0; i < migrations.size(); ++i)
    if (!index.contains(migrations[i].version)) pending.push_back(i);
  return pending;
}

std::vector<std::string> HeadsOf(const std::vector<Migration>& migrations) {
  const bool named = std::ranges::any_of(
      migrations, [](const Migration& migration) { return !migration.depends_on.empty(); });
  std::vector<std::string> heads;
  if (migrations.empty()) return heads;
  if (!named) return {migrations.back().version};
  std::set<std::string> needed;
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    needed.insert(migrations[i].depends_on.begin(), migrations[i].depends_on.end());
    // One that names nothing stands on the one before it.
    if (migrations[i].depends_on.empty() && i > 0) needed.insert(migrations[i - 1].version);
  }
  for (const Migration& migration : migrations)
    if (!needed.contains(migration.version)) heads.push_back(migration.version);
  return heads;
}

}  // namespace pgalter::history
