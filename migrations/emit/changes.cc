#include "migrations/emit/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/range/adaptor/reversed.hpp>
#include <iterator>
#include <ranges>
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
    NoteRemade();
  }

  Changes Compare() {
    for (const Kind& kind : boost::adaptors::reverse(Kinds())) {
      for (const Object* object : Of(kind, from_)) CompareGone(kind, *object);
    }
    for (const Kind& kind : Kinds()) {
      for (const Object* object : Of(kind, to_)) CompareThere(kind, *object);
    }
    return std::move(changes_);
  }

 private:
  static void NotePart(const Object& object, Parts& parts) {
    const bool part =
        object.kind == "attribute" || (object.kind == "column" && ComesWithItsTable(object));
    if (part) parts.emplace(object.on, &object);
  }

  // A materialized view of another definition is dropped and made again, in both directions.
  void NoteRemade() {
    for (const auto& [key, object] : from_) {
      const auto now = to_.find(key);
      if (object.kind == "materialized view" && now != to_.end() &&
          Compared(object) != Compared(now->second))
        remade_.insert(object.key);
    }
  }

  // It goes and comes with what it is on.
  [[nodiscard]] bool ComesWithRemade(const Object& object) const {
    return object.kind == "index" && remade_.contains(object.on);
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
        [&](const char* kind) {
          return index.contains({kind, object.on});
        });
  }

  void CompareGone(const Kind& kind, const Object& object) {
    if (Has(to_, object) || ComesWithRemade(object)) return;
    if (kind.drop == nullptr) return Unsaid(object, "is to be dropped");
    Change change;
    change.effect = Effect::kDrops;
    if (!GoesAlong(object, from_, to_)) change.up = kind.drop(object);
    if (!IsPart(kind, object) || HasBelow(to_, object))
      change.down = kind.make(object, from_parts_);
    Add(std::move(change));
  }

  // Of one that is in `with` and not in `without`: what it hangs on is not there either, and takes
  // it along when it is dropped.
  static bool GoesAlong(const Object& object, const Index& with, const Index& without) {
    if (!HasBelow(without, object)) return true;
    const auto owner = with.find({"sequence owner", object.key});
    if (object.kind == "sequence" && owner != with.end())
      return !without.contains({"column", owner->second.Fact("owner")});
    const auto attached = with.find({"attached", object.key});
    if (object.kind == "table" && attached != with.end())
      return !attached->second.Fact("bound").empty() &&
             !without.contains({"table", attached->second.Fact("parent")});
    return false;
  }

  static bool IsPart(const Kind& kind, const Object& object) {
    return kind.name == "attribute" || (kind.name == "column" && ComesWithItsTable(object));
  }

  void CompareThere(const Kind& kind, const Object& object) {
    if (ComesWithRemade(object)) return;
    const auto before = from_.find({object.kind, object.key});
    if (before == from_.end()) return Make(kind, object);
    if (Compared(before->second) == Compared(object)) return;
    Alter(kind, before->second, object);
  }

  // What a view stands on is in its definition.
  static std::map<std::string, std::string> Compared(const Object& object) {
    auto facts = object.facts;
    facts.erase("stands on");
    return facts;
  }

  void Make(const Kind& kind, const Object& object) {
    if (IsPart(kind, object) && !HasBelow(from_, object)) return;  // comes with its table
    if (kind.make == nullptr) return Unsaid(object, "is to be made");
    Change change;
    change.up = kind.make(object, to_parts_);
    if (!GoesAlong(object, to_, from_)) change.down = kind.drop(object);
    if (change.up.empty() && object.Is("invalid")) return Unsaid(object, "is not valid");
    Add(std::move(change));
  }

  void Alter(const Kind& kind, const Object& from, const Object& to) {
    Change change;
    if (kind.alter != nullptr) {
      change.up = kind.alter(from, to);
      change.down = kind.alter(to, from);
    }
    if (change.up.empty() && kind.cheap) change.up = Anew(kind, from, to, from_, to_);
    if (change.down.empty() && kind.cheap) change.down = Anew(kind, to, from, to_, from_);
    if (change.up.empty() && !to.Is("inherited")) return Unsaid(to, "is another one");
    Add(std::move(change));
  }

  // Views that stand on it are dropped before it, and made again behind it.
  [[nodiscard]] Statements Anew(const Kind& kind, const Object& old, const Object& now,
                                const Index& before, const Index& after) const {
    std::vector<const Object*> standing;
    AddStanding(old, before, standing);
    Statements sql;
    for (const Object* view : boost::adaptors::reverse(standing))
      Append(KindOf(view->kind).drop(*view), sql);
    Append(kind.drop(old), sql);
    Append(kind.make(now, {}), sql);
    AppendIndexes(now, before, after, sql);
    for (const Object* view : standing) {
      const auto again = after.find({view->kind, view->key});
      if (again == after.end()) continue;
      Append(KindOf(view->kind).make(again->second, {}), sql);
      AppendIndexes(again->second, before, after, sql);
    }
    return sql;
  }

  // Those that went when it was dropped. A new one on a view that is the same is made by itself.
  void AppendIndexes(const Object& view, const Index& before, const Index& after,
                     Statements& sql) const {
    if (view.kind != "materialized view") return;
    for (const auto& [key, object] : after)
      if (object.kind == "index" && object.on == view.key &&
          (ComesWithRemade(object) || before.contains(key)))
        Append(KindOf(object.kind).make(object, {}), sql);
  }

  static void Append(Statements statements, Statements& to) {
    std::ranges::move(statements, std::back_inserter(to));
  }
  static const Kind& KindOf(const std::string& name) {
    return *std::ranges::find(Kinds(), name, &Kind::name);
  }

  // In the order in which they were made, each once.
  static void AddStanding(const Object& object, const Index& index,
                          std::vector<const Object*>& standing) {
    for (const auto& [key, view] : index) {
      const bool on = ("\n" + view.Fact("stands on") + "\n").find("\n" + object.key + "\n") !=
                      std::string::npos;
      const bool there = std::ranges::find(standing, &view) != standing.end();
      if (!on || there || view.key == object.key) continue;
      standing.push_back(&view);
      AddStanding(view, index, standing);
    }
    std::ranges::sort(standing, {}, &Object::oid);
  }

  void Add(Change change) {
    if (!change.up.empty() || (change.effect == Effect::kDrops && !change.down.empty()))
      changes_.changes.push_back(std::move(change));
  }
  void Unsaid(const Object& object, std::string_view what) {
    changes_.unsaid.push_back(fmt::format("{} {} {}", object.kind, object.key, what));
  }

  Index from_;
  Index to_;
  Parts from_parts_;
  Parts to_parts_;
  std::set<std::string> remade_;
  Changes changes_;
};

}  // namespace

Changes ChangesBetween(const std::vector<Object>& from, const std::vector<Object>& to) {
  return Comparing(from, to).Compare();
}

}  // namespace pgalter::emit
