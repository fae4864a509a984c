#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "planner/plan/recipes/attach.h"
#include "planner/plan/steps.h"
#include "planner/sql/words.h"

namespace pgalter::plan {

namespace {

namespace ast = sql::ast;

// "CREATE TABLE p PARTITION OF t FOR VALUES … WITH (…)" in its parts.
struct Parts {
  std::string create;  // "CREATE TABLE p"
  std::string bound;   // "FOR VALUES …"
  std::string rest;    // "WITH (…)"
};

// One past the bracket that opens at `at`.
std::size_t AfterBracket(const sql::Words& words, std::size_t at) {
  const int depth = at < words.size() ? words.Place(at).depth : 0;
  do {
    ++at;
  } while (at < words.size() && words.Place(at).depth > depth);
  return at + 1;
}

std::optional<Parts> Cut(const std::string& text) {
  const auto words = sql::Words::Read(text);
  if (!words) return std::nullopt;
  const std::size_t of = words->Find("partition");
  if (!words->Are(of, {"partition", "of"})) return std::nullopt;
  const std::size_t bound = words->AfterName(of + 2);
  // Columns or constraints of its own stand in a bracket here: LIKE cannot say them.
  std::size_t end = bound;
  if (words->Is(bound, "default")) {
    end = bound + 1;
  } else if (words->Are(bound, {"for", "values"})) {
    end = AfterBracket(*words, bound + 3);
    if (words->Is(end, "to")) end = AfterBracket(*words, end + 1);
  } else {
    return std::nullopt;
  }
  return Parts{words->Cut(0, of), words->Cut(bound, end), words->Cut(end, words->size())};
}

// PARTITION OF puts it where its parent is.
std::string Place(const ast::CreateTable& create, const catalog::Table& parent,
                  const std::string& rest) {
  const auto words = sql::Words::Read(rest);
  if (create.partition_by || parent.tablespace.empty() ||
      (words && words->Find("tablespace") < words->size()))
    return "";
  return " TABLESPACE " + sql::QuoteIdentifier(parent.tablespace);
}

std::optional<Proposal> Propose(const Situation& situation) {
  const auto* create = situation.statement.As<ast::CreateTable>();
  if (create == nullptr || !create->partition_of || create->foreign || create->if_not_exists ||
      create->persistence == ast::Persistence::kTemporary)
    return std::nullopt;
  const catalog::Table* parent = situation.schema.FindTable(*create->partition_of);
  if (parent == nullptr || situation.schema.IsNew(*create->partition_of)) return std::nullopt;
  const auto parts = Cut(situation.text);
  if (!parts) return std::nullopt;
  const std::string name = sql::ToString(create->name);
  const std::string like = fmt::format(
      "{} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE "
      "{}){}{}{}",
      parts->create, sql::ToString(*create->partition_of),
      situation.version >= 14 ? "INCLUDING COMPRESSION" : "", parts->rest.empty() ? "" : " ",
      parts->rest, Place(*create, *parent, parts->rest));
  const std::string head = "ALTER TABLE " + sql::ToString(*create->partition_of);
  const std::string action = fmt::format("ATTACH PARTITION {} {}", name, parts->bound);
  const std::string attach = fmt::format("{} {}", head, action);
  const auto made = ast::ReadStatement(like);
  const auto attached = ast::ReadStatement(attach);
  if (!made || !attached) return std::nullopt;
  const auto* alter = attached->As<ast::AlterTable>();
  if (alter == nullptr || alter->commands.size() != 1) return std::nullopt;
  catalog::Schema with = situation.schema;
  with.Apply(*made);
  const locks::Effects effects = locks::EffectsOf(*attached, with, situation.version);
  const Situation then{*attached, attach, with, effects, situation.version, head, action};
  Proposal proposal;
  proposal.steps.push_back(Ddl(Phase::kExpand, {like},
                               {fmt::format("DROP TABLE IF EXISTS {}", name)},
                               "The table alone, for which nobody waits."));
  Proposal rest = AttachPartition(then, alter->commands.front());
  rest.steps.back().explain =
      "Readers and writers of the partitioned table go on; PARTITION OF would stop them.";
  std::ranges::move(rest.steps, std::back_inserter(proposal.steps));
  proposal.remarks = std::move(rest.remarks);
  return proposal;
}

}  // namespace

const Recipe kCreatePartition{
    .name = "create-partition",
    .forms = "CREATE TABLE … PARTITION OF a table in use",
    .steps =
        "CREATE TABLE (LIKE …), then ATTACH PARTITION, which stops nobody; before it, where there "
        "is a DEFAULT partition, a CHECK on that one, NOT VALID and validated",
    .propose = &Propose};

}  // namespace pgalter::plan
