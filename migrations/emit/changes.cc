#include "migrations/emit/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "migrations/emit/kinds.h"

namespace pgalter::emit {

namespace {

using Index = std::map<std::pair<std::string, std::string>, Object>;

// What hangs on an object but is made after others: parts of it as objects of their own.
void AddParts(const Object& object, Index& index) {
  const auto add = [&](const char* kind, std::initializer_list<const char*> facts) {
    Object part{kind, object.key, object.key, object.oid, {}};
    for (const char* fact : facts)
      if (!object.Fact(fact).empty()) part.facts[fact] = object.Fact(fact);
    index[{part.kind, part.key}] = std::move(part);
  };
  if (object.kind == "table" && object.Fact("replica") != "d")
    add("replica identity", {"replica", "replica index"});
  if (object.kind == "sequence" && !object.Fact("owner").empty()) add("sequence owner", {"owner"});
}

Index IndexOf(const std::vector<Object>& objects) {
  Index index;
  for (const Object& object : objects) {
    index[{object.kind, object.key}] = object;
    AddParts(object, index);
  }
  for (auto& [key, object] : index)
    for (const char* fact : {"replica", "replica index", "owner"})
      if (object.kind == "table" || object.kind == "sequence") object.facts.erase(fact);
  return index;
}

class Comparing {
 public:
  Comparing(const std::vector<Object>& from, const std::vector<Object>& to)
      : from_(IndexOf(from)), to_(IndexOf(to)) {
    for (auto& [key, object] : from_) NotePart(object, from_parts_);
    for (auto& [key, object] : to_) NotePart(object, to_parts_);
  }

  Changes Compare() {
    for (auto kind = Kinds().rbegin(); kind != Kinds().rend(); ++kind)
      for (const Object* object : Of(*kind, from_)) CompareGone(*kind, *object);
    for (const Kind& kind : Kinds()) {
      for (const Object* object : Of(kind, to_)) CompareThere(kind, *object);
    }
    return std::move(changes_);
  }

 private:
  static void NotePart(const Object& object, Parts& parts) {
    const bool part = object.kind == "attribute" ||
                      (object.kind == "column" && ComesWithItsTable(object));
    if (part) parts.emplace(object.on, &object);
  }

  // As they were made there: what stands on another is younger.
  static std::vector<const Object*> Of(const Kind& kind, const Index& index) {
    std::vector<const Object*> objects;
    for (const auto& [key, object] : index)
      if (object.kind == kind.name) objects.push_back(&object);
    std::ranges::stable_sort(objects, {}, &Object::oid);
    return objects;
  }

  static bool Has(const Index& index, const Object& object) {
    return index.contains({object.kind, object.key});
  }

  // Whether what it hangs on, a table or a column of one, is in that schema.
  static bool HasBelow(const Index& index, const Object& object) {
    if (object.on.empty()) return true;
    return std::ranges::any_of(
        std::initializer_list<const char*>{"table", "column", "view", "materialized view",
                                           "composite", "attribute", "domain", "sequence", "index",
                                           "constraint", "foreign table"},
        [&](const char* kind) { return index.contains({kind, object.on}); });
  }

  void CompareGone(const Kind& kind, const Object& object) {
    if (Has(to_, object) || !HasBelow(to_, object)) return;
    if (kind.drop == nullptr) return Unsaid(object, "is to be dropped");
    Change change;
    change.effect = Effect::kDrops;
    change.up = kind.drop(object);
    change.down = kind.make(object, from_parts_);
    Add(std::move(change));
  }

  void CompareThere(const Kind& kind, const Object& object) {
    const auto before = from_.find({object.kind, object.key});
    if (before == from_.end()) return Make(kind, object);
    if (before->second.facts == object.facts) return;
    Alter(kind, before->second, object);
  }

  void Make(const Kind& kind, const Object& object) {
    const bool part = kind.name == "attribute" ||
                      (kind.name == "column" && ComesWithItsTable(object));
    if (part && !HasBelow(from_, object)) return;  // comes with its table
    if (kind.make == nullptr) return Unsaid(object, "is to be made");
    Change change;
    change.up = kind.make(object, to_parts_);
    change.down = HasBelow(from_, object) ? kind.drop(object) : Statements();
    if (change.up.empty() && object.Is("invalid")) return Unsaid(object, "is not valid");
    Add(std::move(change));
  }

  void Alter(const Kind& kind, const Object& from, const Object& to) {
    Change change;
    if (kind.alter != nullptr) {
      change.up = kind.alter(from, to);
      change.down = kind.alter(to, from);
    }
    if (change.up.empty() && kind.cheap) {
      change.up = Anew(kind, from, to, to_parts_);
      change.down = Anew(kind, to, from, from_parts_);
    }
    if (change.up.empty() && !to.Is("inherited")) return Unsaid(to, "is another one");
    Add(std::move(change));
  }

  static Statements Anew(const Kind& kind, const Object& old, const Object& now,
                         const Parts& parts) {
    Statements sql = kind.drop(old);
    for (std::string& statement : kind.make(now, parts)) sql.push_back(std::move(statement));
    return sql;
  }

  void Add(Change change) {
    if (!change.up.empty()) changes_.changes.push_back(std::move(change));
  }
  void Unsaid(const Object& object, std::string_view what) {
    changes_.unsaid.push_back(fmt::format("{} {} {}", object.kind, object.key, what));
  }

  Index from_;
  Index to_;
  Parts from_parts_;
  Parts to_parts_;
  Changes changes_;
};

}  // namespace

Changes ChangesBetween(const std::vector<Object>& from, const std::vector<Object>& to) {
  return Comparing(from, to).Compare();
}

}  // namespace pgalter::emit
