#include "planner/plan/json.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <span>

namespace pgalter::plan {

namespace json = boost::json;

namespace {

constexpr std::array kPhases = {Phase::kExpand, Phase::kMigrate, Phase::kContract};
constexpr std::array kKinds = {
    StepKind::kDdl,      StepKind::kConcurrentIndex, StepKind::kDropIndex,
    StepKind::kValidate, StepKind::kBackfill,        StepKind::kGate,
    StepKind::kDetach,   StepKind::kRefresh,         StepKind::kAutocommit,
    StepKind::kRebuild,  StepKind::kRelease,         StepKind::kSplitCopy,
    StepKind::kSplitSwap};
constexpr std::array kTransactions = {Transaction::kOwn, Transaction::kShared, Transaction::kNone};
constexpr std::array kAnswers = {Answer::kAsIs, Answer::kRewritten, Answer::kLeastBad,
                                 Answer::kRefused, Answer::kFails};
constexpr std::array kKnowledge = {Knowledge::kNone, Knowledge::kDump, Knowledge::kLive};
constexpr std::array kSyncs = {Backfill::Sync::kNone, Backfill::Sync::kAuto, Backfill::Sync::kKeep,
                               Backfill::Sync::kOnce};
constexpr std::array kTriggers = {Backfill::Triggers::kFire, Backfill::Triggers::kNone,
                                  Backfill::Triggers::kAccepted};

json::array Texts(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

json::object LockJson(const StepLock& lock) {
  json::array blocks;
  if (locks::BlocksReads(lock.mode)) blocks.push_back("reads");
  if (locks::BlocksWrites(lock.mode)) blocks.push_back("writes");
  return {{"relation", sql::ToString(lock.relation)},
          {"mode", locks::Name(lock.mode)},
          {"blocks", std::move(blocks)}};
}

json::value BackfillJson(const std::optional<Backfill>& backfill) {
  if (!backfill) return nullptr;
  return json::object{{"table", backfill->table},
                      {"set", backfill->set},
                      {"where", backfill->where},
                      {"sync", Name(backfill->sync)},
                      {"triggers", Name(backfill->triggers)}};
}

json::value RebuildJson(const std::optional<Rebuild>& rebuild) {
  if (!rebuild) return nullptr;
  json::array companions;
  for (const Rebuild::Companion& other : rebuild->companions)
    companions.push_back({{"table", other.table}, {"alter", other.alter}});
  return json::object{{"table", rebuild->table},
                      {"alter", rebuild->alter},
                      {"maps", Texts(rebuild->maps)},
                      {"order_by", rebuild->order_by},
                      {"companions", std::move(companions)},
                      {"rebuild_matviews", rebuild->rebuild_matviews}};
}

json::value SplitJson(const std::optional<Split>& split) {
  if (!split) return nullptr;
  return json::object{{"source", split->source},
                      {"target", split->target},
                      {"key", Texts(split->key)},
                      {"key_types", Texts(split->key_types)},
                      {"columns", Texts(split->columns)},
                      {"present", split->present},
                      {"view", split->view},
                      {"shape", split->shape}};
}

json::value GateJson(const std::optional<Gate>& gate) {
  if (!gate) return nullptr;
  return json::object{{"name", gate->name},
                      {"reason", gate->reason},
                      {"soak_s", gate->soak_s},
                      {"check", gate->check}};
}

json::object StatementJson(const Statement& statement) {
  return {{"sql", statement.sql},
          {"line", statement.line},
          {"answer", Name(statement.answer)},
          {"recipe", statement.recipe},
          {"remarks", Texts(statement.remarks)}};
}

// Reads members of one object. The first thing that is wrong is kept; what is read after it is
// empty.
class Reader {
 public:
  Reader(const json::value& value, std::string where) : where_(std::move(where)) {
    if (value.is_object()) {
      object_ = &value.get_object();
    } else {
      Fail("", "an object");
    }
  }

  std::string Text(const char* name) {
    const json::value* member = Member(name);
    if (member == nullptr) return "";
    if (member->is_string()) return std::string(member->get_string());
    return Fail(name, "a text"), "";
  }
  bool Flag(const char* name) {
    const json::value* member = Member(name);
    if (member == nullptr) return false;
    if (member->is_bool()) return member->get_bool();
    return Fail(name, "true or false"), false;
  }
  double Number(const char* name) {
    const json::value* member = Member(name);
    if (member == nullptr) return 0;
    if (member->is_number()) return member->to_number<double>();
    return Fail(name, "a number"), 0;
  }
  long Whole(const char* name) {
    const json::value* member = Member(name);
    if (member == nullptr) return 0;
    if (member->is_int64()) return member->get_int64();
    return Fail(name, "a whole number"), 0;
  }
  sql::QualifiedName Relation(const char* name) {
    const auto read = sql::ParseQualifiedName(Text(name));
    if (read) return *read;
    return Fail(name, "the name of a relation"), sql::QualifiedName{};
  }
  template <class Enum>
  Enum One(const char* name, std::span<const Enum> values) {
    const std::string text = Text(name);
    for (const Enum value : values)
      if (Name(value) == text) return value;
    Fail(name, fmt::format("known: \"{}\"", text));
    return values.front();
  }
  [[nodiscard]] bool Has(const char* name) const {
    return object_ != nullptr && object_->if_contains(name) != nullptr;
  }
  // nullptr: null, or wrong.
  const json::value* Optional(const char* name) {
    const json::value* member = Member(name);
    return member == nullptr || member->is_null() ? nullptr : member;
  }
  template <class Read>
  void Each(const char* name, const Read& read) {
    const json::value* member = Member(name);
    if (member == nullptr) return;
    if (!member->is_array()) return Fail(name, "an array");
    for (std::size_t i = 0; i < member->get_array().size() && error_.empty(); ++i)
      read(member->get_array()[i], fmt::format("{}{}[{}]", Prefix(), name, i));
  }
  std::vector<std::string> Texts(const char* name) {
    std::vector<std::string> texts;
    Each(name, [&](const json::value& item, const std::string& /*where*/) {
      if (!item.is_string()) return Fail(name, "texts");
      texts.emplace_back(item.get_string());
    });
    return texts;
  }

  void Take(const std::string& error) {
    if (error_.empty()) error_ = error;
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  [[nodiscard]] std::string Prefix() const { return where_.empty() ? "" : where_ + '.'; }
  const json::value* Member(const char* name) {
    if (object_ == nullptr) return nullptr;
    if (const json::value* member = object_->if_contains(name)) return member;
    Take(fmt::format("{}{} is missing", Prefix(), name));
    return nullptr;
  }
  void Fail(const char* name, const std::string& wanted) {
    Take(fmt::format("{}{} is not {}", Prefix(), name, wanted));
  }

  const json::object* object_ = nullptr;
  std::string where_;
  std::string error_;
};

void ReadCompanions(Reader& part, Rebuild& rebuild) {
  part.Each("companions", [&](const json::value& item, const std::string& place) {
    Reader other(item, place);
    rebuild.companions.push_back({other.Text("table"), other.Text("alter")});
    part.Take(other.error());
  });
}

Step ReadStep(const json::value& value, const std::string& where, std::string& error) {
  Reader read(value, where);
  Step step;
  step.id = read.Text("id");
  step.phase = read.One<Phase>("phase", kPhases);
  step.kind = read.One<StepKind>("kind", kKinds);
  step.statement = static_cast<int>(read.Whole("statement"));
  step.sql = read.Texts("sql");
  step.transaction = read.One<Transaction>("transaction", kTransactions);
  read.Each("locks", [&](const json::value& item, const std::string& place) {
    Reader lock(item, place);
    StepLock taken{lock.Relation("relation"), {}};
    const std::string mode = lock.Text("mode");
    if (const auto named = locks::FromName(mode)) {
      taken.mode = *named;
    } else {
      lock.Take(fmt::format("{}.mode is not known: \"{}\"", place, mode));
    }
    read.Take(lock.error());
    step.locks.push_back(std::move(taken));
  });
  step.table_rewrite = read.Flag("table_rewrite");
  step.table_scan = read.Flag("table_scan");
  if (const json::value* member = read.Optional("duration")) {
    Reader duration(*member, where + ".duration");
    step.duration = Duration{duration.Number("low_s"), duration.Number("high_s")};
    read.Take(duration.error());
  }
  step.backward_compatible = read.Flag("backward_compatible");
  step.undo = read.Texts("undo");
  step.undo_transaction = read.One<Transaction>("undo_transaction", kTransactions);
  step.point_of_no_return = read.Flag("point_of_no_return");
  step.explain = read.Text("explain");
  if (read.Optional("index") != nullptr) step.index = read.Relation("index");
  if (const json::value* member = read.Optional("backfill")) {
    Reader part(*member, where + ".backfill");
    step.backfill = Backfill{part.Text("table"), part.Text("set"), part.Text("where"),
                             part.One<Backfill::Sync>("sync", kSyncs)};
    // Of before it was kept: as it was then.
    if (part.Has("triggers"))
      step.backfill->triggers = part.One<Backfill::Triggers>("triggers", kTriggers);
    read.Take(part.error());
  }
  // Steps that were kept before there was one have none.
  if (read.Has("rebuild")) {
    if (const json::value* member = read.Optional("rebuild")) {
      Reader part(*member, where + ".rebuild");
      step.rebuild = Rebuild{part.Text("table"), part.Text("alter"), part.Texts("maps"),
                             part.Has("order_by") ? part.Text("order_by") : ""};
      if (part.Has("companions")) ReadCompanions(part, *step.rebuild);
      if (part.Has("rebuild_matviews"))
        step.rebuild->rebuild_matviews = part.Flag("rebuild_matviews");
      read.Take(part.error());
    }
  }
  if (read.Has("split")) {
    if (const json::value* member = read.Optional("split")) {
      Reader part(*member, where + ".split");
      step.split = Split{part.Text("source"),     part.Text("target"),   part.Texts("key"),
                         part.Texts("key_types"), part.Texts("columns"), part.Text("present")};
      if (part.Has("shape")) {
        step.split->view = part.Text("view");
        step.split->shape = part.Text("shape");
      }
      read.Take(part.error());
    }
  }
  if (const json::value* member = read.Optional("gate")) {
    Reader part(*member, where + ".gate");
    step.gate =
        Gate{part.Text("name"), part.Text("reason"), part.Whole("soak_s"), part.Text("check")};
    read.Take(part.error());
  }
  if (read.Has("rehearsed")) {
    if (const json::value* member = read.Optional("rehearsed")) {
      Reader part(*member, where + ".rehearsed");
      step.rehearsed = Rehearsed{part.Number("seconds"), part.Whole("rows"), part.Text("at")};
      read.Take(part.error());
    }
  }
  if (error.empty()) error = read.error();
  return step;
}

Statement ReadStatement(const json::value& value, const std::string& where, std::string& error) {
  Reader read(value, where);
  Statement statement;
  statement.sql = read.Text("sql");
  statement.line = static_cast<int>(read.Whole("line"));
  statement.answer = read.One<Answer>("answer", kAnswers);
  statement.recipe = read.Text("recipe");
  statement.remarks = read.Texts("remarks");
  if (error.empty()) error = read.error();
  return statement;
}

void ReadSchema(const json::value* value, Plan& plan, std::string& error) {
  if (value == nullptr) return;
  Reader read(*value, "schema");
  plan.knowledge = read.One<Knowledge>("knowledge", kKnowledge);
  plan.fingerprint = read.Text("fingerprint");
  for (const std::string& text : read.Texts("relations")) {
    const auto name = sql::ParseQualifiedName(text);
    if (!name) read.Take(fmt::format("schema.relations: \"{}\" is not a name", text));
    if (name) plan.relations.push_back(*name);
  }
  if (error.empty()) error = read.error();
}

}  // namespace

json::object ToJson(const Step& step) {
  json::array locks;
  for (const StepLock& lock : step.locks) locks.push_back(LockJson(lock));
  json::value duration;
  if (step.duration)
    duration = json::object{{"low_s", step.duration->low_s}, {"high_s", step.duration->high_s}};
  json::value index;
  if (step.index) index = json::string(sql::ToString(*step.index));
  json::object made{{"id", step.id},
                    {"phase", Name(step.phase)},
                    {"kind", Name(step.kind)},
                    {"statement", step.statement},
                    {"sql", Texts(step.sql)},
                    {"transaction", Name(step.transaction)},
                    {"locks", std::move(locks)},
                    {"table_rewrite", step.table_rewrite},
                    {"table_scan", step.table_scan},
                    {"duration", std::move(duration)},
                    {"backward_compatible", step.backward_compatible},
                    {"undo", Texts(step.undo)},
                    {"undo_transaction", Name(step.undo_transaction)},
                    {"point_of_no_return", step.point_of_no_return},
                    {"explain", step.explain},
                    {"index", std::move(index)},
                    {"backfill", BackfillJson(step.backfill)},
                    {"rebuild", RebuildJson(step.rebuild)},
                    {"split", SplitJson(step.split)},
                    {"gate", GateJson(step.gate)}};
  // What is not rehearsed is as it always was: approvals are bound to it.
  if (step.rehearsed)
    made["rehearsed"] = {{"seconds", step.rehearsed->seconds},
                         {"rows", step.rehearsed->rows},
                         {"at", step.rehearsed->at}};
  return made;
}

json::object ToJson(const Plan& plan) {
  json::array relations;
  for (const auto& relation : plan.relations) relations.emplace_back(sql::ToString(relation));
  json::array statements;
  for (const Statement& statement : plan.statements) statements.push_back(StatementJson(statement));
  json::array steps;
  for (const Step& step : plan.steps) steps.push_back(ToJson(step));
  return {{"version", kPlanVersion},
          {"server_version", plan.server_version},
          {"schema", json::object{{"knowledge", Name(plan.knowledge)},
                                  {"fingerprint", plan.fingerprint},
                                  {"relations", std::move(relations)}}},
          {"statements", std::move(statements)},
          {"steps", std::move(steps)}};
}

sql::Result<Plan> FromJson(const json::value& value) {
  Reader read(value, "");
  Plan plan;
  std::string error;
  if (const long version = read.Whole("version"); version != kPlanVersion)
    read.Take(fmt::format("version {} of plans is not known, {} is", version, kPlanVersion));
  plan.server_version = static_cast<int>(read.Whole("server_version"));
  ReadSchema(read.Optional("schema"), plan, error);
  read.Each("statements", [&](const json::value& item, const std::string& where) {
    plan.statements.push_back(ReadStatement(item, where, error));
  });
  read.Each("steps", [&](const json::value& item, const std::string& where) {
    plan.steps.push_back(ReadStep(item, where, error));
    read.Take(error);
    const Step& step = plan.steps.back();
    if (step.statement < 0 || static_cast<std::size_t>(step.statement) >= plan.statements.size())
      read.Take(fmt::format("{}.statement is not one of the plan's", where));
  });
  read.Take(error);
  if (!read.error().empty()) return sql::Error("this is not a plan: " + read.error(), 0);
  return plan;
}

sql::Result<Step> StepFromJson(const json::value& value) {
  std::string error;
  Step step = ReadStep(value, "step", error);
  if (!error.empty()) return sql::Error("this is not a step of a plan: " + error, 0);
  return step;
}

}  // namespace pgalter::plan
