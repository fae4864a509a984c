#include "migrations/history/exclusion.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace pgalter::history {

namespace {

bool Contains(const std::vector<std::string>& versions, const std::string& version) {
  return std::ranges::find(versions, version) != versions.end();
}

// Of thousands mostly none does.
bool AnyNames(const std::vector<Migration>& migrations) {
  return std::ranges::any_of(
      migrations, [](const Migration& migration) { return !migration.conflicts_with.empty(); });
}

int LineOf(const Migration& migration) {
  const auto key = std::ranges::find(migration.header, "conflicts_with", &formats::HeaderKey::key);
  return key == migration.header.end() ? 1 : key->line;
}

std::string Said(const Exclusion& pair) {
  return fmt::format("{} and {} exclude each other, as conflicts_with in the header of {} says",
                     pair.earlier->file, pair.later->file, pair.by->file);
}

// The header of the one that stays may not name what is gone.
std::string Leave(const Exclusion& pair, const Migration& gone) {
  std::string leave = fmt::format("take {} out of the directory", gone.file);
  if (pair.by != &gone)
    leave += fmt::format(" and {} out of the header of {}", gone.version, pair.by->file);
  return leave;
}

class Comparing {
 public:
  Comparing(const std::vector<Migration>& migrations, const std::vector<Applied>& applied,
            const std::vector<const Migration*>& wanted)
      : migrations_(migrations), applied_(applied) {
    for (const Migration* migration : wanted) wanted_.insert(migration->version);
  }

  std::vector<Divergence> Compare();

 private:
  // Where its row is, from the one that was applied last; 0: it is not applied.
  [[nodiscard]] std::size_t FromTheEnd(const Migration& migration) const;
  [[nodiscard]] Divergence BothPending(const Exclusion& pair) const;
  [[nodiscard]] static Divergence OneApplied(const Exclusion& pair, const Migration& there,
                                             std::size_t count);
  [[nodiscard]] static Divergence BothApplied(const Exclusion& pair, std::size_t count);

  const std::vector<Migration>& migrations_;
  const std::vector<Applied>& applied_;
  std::set<std::string> wanted_;
};

std::size_t Comparing::FromTheEnd(const Migration& migration) const {
  const auto row = std::ranges::find(applied_, migration.version, &Applied::version);
  return static_cast<std::size_t>(applied_.end() - row);
}

Divergence Comparing::BothPending(const Exclusion& pair) const {
  const auto at = static_cast<std::size_t>(pair.later - migrations_.data());
  return {Difference::kConflict, pair.later->version,
          fmt::format("{}, and neither is applied", Said(pair)),
          fmt::format("{}, or the other one; or go as far as is decided: pgalter up --to {}",
                      Leave(pair, *pair.later), migrations_[at - 1].version)};
}

Divergence Comparing::OneApplied(const Exclusion& pair, const Migration& there, std::size_t count) {
  const Migration& other = &there == pair.earlier ? *pair.later : *pair.earlier;
  std::string leave = Leave(pair, other);
  if (pair.by == &there) leave += fmt::format(", and then: pgalter repair {} --yes", there.version);
  return {Difference::kConflict, other.version,
          fmt::format("{}, and {} is applied", Said(pair), there.file),
          fmt::format("{}; or take back what is applied, the last first: pgalter down --count {} "
                      "--yes; then {}",
                      leave, count, Leave(pair, there))};
}

Divergence Comparing::BothApplied(const Exclusion& pair, std::size_t count) {
  return {Difference::kConflict, pair.later->version,
          fmt::format("{}, and both are applied", Said(pair)),
          fmt::format("take back as far as the one of them that was applied last: pgalter down "
                      "--count {} --yes; or, if they bear each other, correct conflicts_with and: "
                      "pgalter repair {} --yes",
                      count, pair.by->version)};
}

std::vector<Divergence> Comparing::Compare() {
  std::vector<Divergence> found;
  for (const Exclusion& pair : ExclusionsOf(migrations_)) {
    const std::size_t earlier = FromTheEnd(*pair.earlier);
    const std::size_t later = FromTheEnd(*pair.later);
    const bool earlier_wanted = wanted_.contains(pair.earlier->version);
    const bool later_wanted = wanted_.contains(pair.later->version);
    if (earlier != 0 && later != 0) {
      found.push_back(BothApplied(pair, std::min(earlier, later)));
    } else if (earlier != 0 && later_wanted) {
      found.push_back(OneApplied(pair, *pair.earlier, earlier));
    } else if (later != 0 && earlier_wanted) {
      found.push_back(OneApplied(pair, *pair.later, later));
    } else if (earlier_wanted && later_wanted) {
      found.push_back(BothPending(pair));
    }
  }
  return found;
}

}  // namespace

std::vector<Exclusion> ExclusionsOf(const std::vector<Migration>& migrations) {
  std::vector<Exclusion> pairs;
  if (!AnyNames(migrations)) return pairs;
  std::map<std::string, const Migration*> by_version;
  for (const Migration& migration : migrations)
    by_version.try_emplace(migration.version, &migration);
  std::set<std::pair<const Migration*, const Migration*>> seen;
  for (const Migration& migration : migrations) {
    for (const std::string& version : migration.conflicts_with) {
      const auto other = by_version.find(version);
      if (other == by_version.end() || other->second == &migration) continue;
      const Migration* earlier = std::min(&migration, other->second);
      const Migration* later = std::max(&migration, other->second);
      if (seen.emplace(earlier, later).second) pairs.push_back({earlier, later, &migration});
    }
  }
  return pairs;
}

std::vector<Fault> FaultsOfExclusions(const std::vector<Migration>& migrations) {
  std::vector<Fault> faults;
  if (!AnyNames(migrations)) return faults;
  std::vector<std::string> known;
  for (const Migration& migration : migrations) known.push_back(migration.version);
  const std::set<std::string> there(known.begin(), known.end());
  for (const Migration& migration : migrations) {
    for (const std::string& version : migration.conflicts_with) {
      const auto fault = [&](const std::string& what, std::vector<std::string> near = {}) {
        const std::string typed = near.empty() ? "" : version;
        faults.push_back({migration.file, {LineOf(migration), what, typed, std::move(near)}});
      };
      if (version == migration.version) {
        fault(fmt::format("{} conflicts with itself", version));
      } else if (!there.contains(version)) {
        fault(fmt::format("conflicts_with names {}, and there is no such version", version), known);
      } else if (Contains(migration.depends_on, version)) {
        fault(fmt::format("{} is in depends_on and in conflicts_with", version));
      }
    }
  }
  return faults;
}

std::vector<Divergence> CompareExclusions(const std::vector<Migration>& migrations,
                                          const std::vector<Applied>& applied,
                                          const std::vector<const Migration*>& wanted) {
  return Comparing(migrations, applied, wanted).Compare();
}

std::vector<Exclusion> ExclusionsBelow(const std::vector<Migration>& migrations,
                                       const std::vector<std::string>& versions) {
  std::set<std::string> below(versions.begin(), versions.end());
  // What a migration stands on is in front of it.
  for (std::size_t i = migrations.size(); i-- > 0;) {
    if (!below.contains(migrations[i].version)) continue;
    below.insert(migrations[i].depends_on.begin(), migrations[i].depends_on.end());
    if (migrations[i].depends_on.empty() && i > 0) below.insert(migrations[i - 1].version);
  }
  std::vector<Exclusion> pairs = ExclusionsOf(migrations);
  std::erase_if(pairs, [&](const Exclusion& pair) {
    return !below.contains(pair.earlier->version) || !below.contains(pair.later->version);
  });
  return pairs;
}

}  // namespace pgalter::history
