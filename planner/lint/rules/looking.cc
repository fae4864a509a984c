#include "planner/lint/rules/looking.h"

#include <algorithm>

namespace pgalter::lint {

namespace {

using catalog::QualifiedName;
using locks::Work;

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '"';
}

// Behind the first such word; npos: not there, or perhaps in a comment.
std::size_t Behind(std::string_view text, std::string_view word) {
  for (std::size_t at = 0; at + word.size() <= text.size(); ++at) {
    const std::size_t end = at + word.size();
    const bool same = std::equal(word.begin(), word.end(), text.begin() + at,
                                 [](char a, char b) { return a == (b & ~0x20); });
    if (!same || (at > 0 && IsWordByte(text[at - 1]))) continue;
    if (end < text.size() && IsWordByte(text[end])) continue;
    const std::string_view before = text.substr(0, at);
    const bool plain =
        before.find("--") == std::string_view::npos && before.find("/*") == std::string_view::npos;
    return plain ? end : std::string_view::npos;
  }
  return std::string_view::npos;
}

bool Editable(const Context& context) { return !context.embedded && !context.transaction.open(); }

// What is put behind the end of a statement must not land in a comment.
bool HasComment(std::string_view text) {
  return text.find("--") != std::string_view::npos || text.find("/*") != std::string_view::npos;
}

}  // namespace

const QualifiedName* TargetOf(const sql::ast::Statement& statement) {
  if (const auto* alter = statement.As<sql::ast::AlterTable>()) return &alter->name;
  if (const auto* index = statement.As<sql::ast::CreateIndex>()) return &index->table;
  if (const auto* create = statement.As<sql::ast::CreateTable>(); create && create->partition_of)
    return &*create->partition_of;
  return nullptr;
}

const sql::ast::TableCommand* CommandOf(const Context& context, const Work& work) {
  const auto* alter = context.statement.As<sql::ast::AlterTable>();
  if (alter == nullptr || work.command < 0) return nullptr;
  const auto index = static_cast<std::size_t>(work.command);
  return index < alter->commands.size() ? &alter->commands[index] : nullptr;
}

bool IsPartitioned(const Context& context, const QualifiedName& table) {
  const catalog::Table* known = context.schema.FindTable(table);
  return known != nullptr && known->kind == catalog::TableKind::kPartitioned;
}

std::optional<LockTaken> LockOn(const Context& context, const QualifiedName& relation) {
  const QualifiedName wanted = context.schema.Resolve(relation);
  for (const locks::Lock& lock : context.effects.locks)
    if (context.schema.Resolve(lock.relation) == wanted)
      return LockTaken{lock.mode, Context::Show(lock.relation)};
  return std::nullopt;
}

Severity Weigh(const Context& context, const Work& work) {
  if (context.Small(work.relation)) return Severity::kNote;
  return work.certainty == locks::Certainty::kCertain ? Severity::kError : Severity::kWarning;
}

std::string Doubt(const Work& work) {
  if (work.certainty == locks::Certainty::kCertain || work.unknown.empty()) return {};
  return fmt::format(" ({})", work.unknown);
}

Remark About(const Context& context, const Work& work, std::string message) {
  Remark remark;
  remark.message = std::move(message) + Doubt(work);
  remark.severity = Weigh(context, work);
  remark.lock = LockOn(context, work.relation);
  remark.table_rewrite = work.kind == Work::Kind::kRewrite;
  remark.table_scan = work.kind != Work::Kind::kRewrite;
  return remark;
}

std::vector<Edit> AddConcurrently(const Context& context, std::string_view word) {
  if (!Editable(context)) return {};
  if (word.empty() && HasComment(context.text)) return {};
  const std::size_t at = word.empty() ? context.text.size() : Behind(context.text, word);
  if (at == std::string_view::npos) return {};
  const std::size_t place = context.span.begin + at;
  return {{{place, place}, " CONCURRENTLY"}};
}

std::vector<Edit> ValidateApart(const Context& context, const sql::ast::TableCommand& command) {
  const auto* alter = context.statement.As<sql::ast::AlterTable>();
  if (alter == nullptr || alter->commands.size() != 1 || !command.constraint) return {};
  const std::string& name = command.constraint->name;
  // A name that is not in the text as it stands was a placeholder.
  const auto written = [&](const std::string& word) {
    return context.text.find(word) != std::string_view::npos;
  };
  if (!Editable(context) || HasComment(context.text) || name.empty()) return {};
  if (!written(name) || !written(alter->name.name)) return {};
  const std::size_t end = context.span.end;
  return {{{end, end},
           fmt::format(" NOT VALID;\nALTER TABLE {} VALIDATE CONSTRAINT {}",
                       sql::ToString(alter->name), sql::QuoteIdentifier(name))}};
}

}  // namespace pgalter::lint
