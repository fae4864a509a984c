#include "cli/check/intent.h"

#include <fmt/format.h>

#include <algorithm>

#include "planner/locks/effects.h"
#include "planner/sql/newer_syntax.h"
#include "planner/sql/script.h"
#include "planner/sql/statement.h"

namespace pgalter::cli {

namespace {

class Reading {
 public:
  Reading(catalog::Schema schema, int server_version)
      : schema_(std::move(schema)), server_version_(server_version) {
    schema_.BeginRun();
  }

  void Take(const sql::Piece& piece) {
    if (piece.kind == sql::PieceKind::kMeta || piece.kind == sql::PieceKind::kCopyData ||
        piece.kind == sql::PieceKind::kComments)
      return;
    const std::string shown = sql::NormaliseStatement(piece.sql);
    auto statement = sql::ast::ReadStatement(piece.sql);
    if (statement) {
      Judge(*statement, shown);
    } else if (const auto newer = sql::RecogniseNewer(piece.sql); newer && newer->statement) {
      Judge(*newer->statement, shown);
    } else {
      intent_.remarks.push_back(fmt::format("not read, so nothing is known of it: {}", shown));
    }
  }

  Intent intent() && { return std::move(intent_); }

 private:
  void Judge(const sql::ast::Statement& statement, const std::string& shown) {
    const locks::Effects effects = locks::EffectsOf(statement, schema_, server_version_);
    for (const locks::Lock& lock : effects.locks)
      if (check::Wanted* wanted = At(lock.relation); wanted != nullptr && !lock.index)
        wanted->lock = wanted->lock ? std::max(*wanted->lock, lock.mode) : lock.mode;
    for (const locks::Work& work : effects.works) {
      Note(work, work.relation);
      for (const auto& part : work.parts) Note(work, part);
    }
    for (const locks::Failure& failure : effects.failures)
      intent_.remarks.push_back(fmt::format(
          "the server {} refuse it ({}): {}",
          failure.certainty == locks::Certainty::kCertain ? "will" : "may", failure.detail, shown));
    schema_.Apply(statement);
  }

  void Note(const locks::Work& work, const sql::QualifiedName& relation) {
    check::Wanted* wanted = At(relation);
    if (wanted == nullptr) return;
    const bool rewrites = work.kind == locks::Work::Kind::kRewrite;
    wanted->rewritten = wanted->rewritten || rewrites;
    wanted->scanned = wanted->scanned || !rewrites;
  }

  // nullptr: made by the statements themselves.
  check::Wanted* At(const sql::QualifiedName& relation) {
    if (schema_.IsNew(relation)) return nullptr;
    const std::string name = sql::ToString(schema_.Resolve(relation));
    auto found = std::ranges::find(intent_.tables, name, &check::WantedTable::name);
    if (found == intent_.tables.end()) {
      intent_.tables.push_back({name, {}});
      found = intent_.tables.end() - 1;
    }
    return &found->wanted;
  }

  catalog::Schema schema_;
  int server_version_;
  Intent intent_;
};

}  // namespace

Intent ReadIntent(std::string_view sql, catalog::Schema schema, int server_version) {
  Reading reading(std::move(schema), server_version);
  for (const sql::Piece& piece : sql::SplitScript(sql)) reading.Take(piece);
  return std::move(reading).intent();
}

}  // namespace pgalter::cli
