#include "engine/trace/difference.h"

#include <fmt/format.h>

#include <algorithm>

namespace pgalter::trace {

namespace {

using locks::Certainty;
using locks::Effects;
using locks::LockMode;
using locks::Work;

using Modes = Observed::Modes;
using Names = std::set<std::string>;

// How much of the table that a foreign key points at is read for it is the server's choice.
bool IsTarget(const Effects& effects, const Work& work) {
  using enum locks::Reason;
  if (work.reason != kForeignKey && work.reason != kTypeChangeForeignKey &&
      work.reason != kValidate)
    return false;
  const auto first = std::ranges::find_if(effects.works, [&](const Work& other) {
    return other.reason == work.reason && other.subject == work.subject;
  });
  return &*first != &work;
}

struct Foreseen {
  Names rewritten;
  Names touched;  // read or rewritten
  Names maybe_rewritten;
  Names maybe_touched;
};

class Judge {
 public:
  Judge(const Effects& said, const Observed& seen, const catalog::Schema& schema,
        Strictness strictness)
      : said_(said), seen_(seen), schema_(schema), strictness_(strictness) {}

  std::vector<std::string> Run() {
    if (!CompareRefusal()) return std::move(differences_);
    if (seen_.all_locks_seen) {
      CompareLocks();
    } else {
      CompareFirstLocks();
    }
    CompareWork();
    return std::move(differences_);
  }

 private:
  [[nodiscard]] std::string NameOf(const sql::QualifiedName& name) const {
    return sql::ToString(schema_.Resolve(name));
  }
  [[nodiscard]] std::string IndexNameOf(const sql::QualifiedName& name) const {
    const catalog::Index* index = schema_.FindIndex(name);
    return index == nullptr ? NameOf(name) : sql::ToString(index->name);
  }
  template <class... Args>
  void Say(fmt::format_string<Args...> format, Args&&... args) {
    differences_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  // Whether it went through, so that there is something to compare.
  bool CompareRefusal() {
    if (!seen_.sqlstate.empty()) {
      if (said_.failures.empty() && strictness_ == Strictness::kExact)
        Say("the server refused it: {} ({})", seen_.message, seen_.sqlstate);
      return false;
    }
    for (const locks::Failure& failure : said_.failures)
      if (failure.certainty == Certainty::kCertain)
        Say("said to be refused ({}), and it went through", failure.detail);
    return true;
  }

  std::map<std::string, LockMode> SaidLocks(bool index) const {
    std::map<std::string, LockMode> locks;
    for (const locks::Lock& lock : said_.locks)
      if (lock.index == index)
        locks[index ? IndexNameOf(lock.relation) : NameOf(lock.relation)] = lock.mode;
    return locks;
  }
  [[nodiscard]] bool Holds(const std::string& name, LockMode mode) const {
    const auto held = seen_.held.find(name);
    return held != seen_.held.end() && held->second.contains(mode);
  }
  [[nodiscard]] bool Harms(LockMode mode) const {
    return strictness_ == Strictness::kExact || mode >= LockMode::kShareUpdateExclusive;
  }

  void CompareLocks() {
    const auto tables = SaidLocks(false);
    for (const auto& [name, modes] : seen_.table_locks) {
      const LockMode strongest = *modes.rbegin();
      const auto said = tables.find(name);
      if (said == tables.end()) {
        if (Harms(strongest)) Say("{} on {}: nothing was said of it", locks::Name(strongest), name);
      } else if (said->second < strongest) {
        Say("{} on {}, where {} was said", locks::Name(strongest), name, locks::Name(said->second));
      }
    }
    for (const auto& [name, mode] : tables)
      if (!Holds(name, mode) && Harms(mode))
        Say("{} on {} was said, and was not taken", locks::Name(mode), name);
    CompareIndexLocks();
  }

  // An index has its table's lock at most, unless something else was said.
  void CompareIndexLocks() {
    const auto indexes = SaidLocks(true);
    for (const auto& [name, modes] : seen_.index_locks) {
      const LockMode strongest = *modes.rbegin();
      const auto said = indexes.find(name);
      if (said != indexes.end()) {
        if (said->second != strongest)
          Say("{} on index {}, where {} was said", locks::Name(strongest), name,
              locks::Name(said->second));
        continue;
      }
      const auto table = seen_.held.find(seen_.table_of_index.at(name));
      if (table == seen_.held.end() || *table->second.rbegin() < strongest)
        Say("{} on index {}: above its table's, and nothing was said of it", locks::Name(strongest),
            name);
    }
    for (const auto& [name, mode] : indexes)
      if (!seen_.held.contains(name))
        Say("{} on index {} was said, and was not taken", locks::Name(mode), name);
  }

  // Of what takes its locks one after the other only the first is sure to be seen, and then none
  // above what was said.
  void CompareFirstLocks() {
    const auto tables = SaidLocks(false);
    for (const auto& [name, mode] : seen_.waited) {
      const auto said = tables.find(name);
      if (said != tables.end() && mode < said->second)
        Say("{} on {} first, where {} was said", locks::Name(mode), name,
            locks::Name(said->second));
    }
    for (const auto& [name, modes] : seen_.table_locks) {
      const auto said = tables.find(name);
      if (said != tables.end() && said->second < *modes.rbegin())
        Say("{} on {}, where {} was said", locks::Name(*modes.rbegin()), name,
            locks::Name(said->second));
    }
  }

  Names TablesOf(const Work& work) const {
    Names names;
    const catalog::Table* table = schema_.FindTable(work.relation);
    if (table == nullptr || table->kind != catalog::TableKind::kPartitioned)
      names.insert(NameOf(work.relation));
    for (const auto& part : work.parts) names.insert(NameOf(part));
    return names;
  }

  Foreseen Gather() const {
    Foreseen foreseen;
    for (const Work& work : said_.works) {
      const bool certain = work.certainty == Certainty::kCertain && !IsTarget(said_, work);
      // To give a table an empty file is not to read it.
      const bool reads =
          work.reason != locks::Reason::kTruncate && work.reason != locks::Reason::kTablespace;
      for (const std::string& table : TablesOf(work)) {
        if (work.kind == Work::Kind::kRewrite) {
          foreseen.maybe_rewritten.insert(table);
          if (certain) foreseen.rewritten.insert(table);
        }
        foreseen.maybe_touched.insert(table);
        if (certain && reads) foreseen.touched.insert(table);
      }
    }
    return foreseen;
  }

  void ExpectWithin(const Names& inner, const Names& outer, std::string_view what) {
    for (const std::string& name : inner)
      if (!outer.contains(name)) Say("{} {}", name, what);
  }

  void CompareWork() {
    Foreseen foreseen = Gather();
    ExpectWithin(foreseen.rewritten, seen_.rewritten, "was said to be written anew, and was not");
    ExpectWithin(seen_.rewritten, foreseen.maybe_rewritten,
                 "was written anew: nothing was said of it");
    if (!seen_.scans_seen) return;
    Names touched = seen_.scanned;
    touched.insert(seen_.rewritten.begin(), seen_.rewritten.end());
    if (strictness_ == Strictness::kHarm)
      for (const std::string& name : seen_.empty) foreseen.touched.erase(name);
    ExpectWithin(foreseen.touched, touched, "was said to be read whole, and was not");
    ExpectWithin(touched, foreseen.maybe_touched, "was read: nothing was said of it");
  }

  const Effects& said_;
  const Observed& seen_;
  const catalog::Schema& schema_;
  Strictness strictness_;
  std::vector<std::string> differences_;
};

}  // namespace

std::vector<std::string> Differences(const Effects& said, const Observed& seen,
                                     const catalog::Schema& schema, Strictness strictness) {
  return Judge(said, seen, schema, strictness).Run();
}

}  // namespace pgalter::trace
