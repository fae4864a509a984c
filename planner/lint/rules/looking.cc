#include "planner/lint/rules/looking.h"

namespace pgalter::lint {

std::optional<LockTaken> LockOn(const Context& context, const catalog::QualifiedName& relation) {
  const catalog::QualifiedName wanted = context.schema.Resolve(relation);
  for (const locks::Lock& lock : context.effects.locks)
    if (context.schema.Resolve(lock.relation) == wanted)
      return LockTaken{lock.mode, Context::Show(lock.relation)};
  return std::nullopt;
}

Severity Weigh(const Context& context, const locks::Work& work) {
  if (context.Small(work.relation)) return Severity::kNote;
  return work.certainty == locks::Certainty::kCertain ? Severity::kError : Severity::kWarning;
}

std::string Doubt(const locks::Work& work) {
  if (work.certainty == locks::Certainty::kCertain || work.unknown.empty()) return {};
  return fmt::format(" ({})", work.unknown);
}

Remark About(const Context& context, const locks::Work& work, std::string message) {
  Remark remark;
  remark.message = std::move(message) + Doubt(work);
  remark.severity = Weigh(context, work);
  remark.lock = LockOn(context, work.relation);
  remark.table_rewrite = work.kind == locks::Work::Kind::kRewrite;
  remark.table_scan = work.kind != locks::Work::Kind::kRewrite;
  return remark;
}

}  // namespace pgalter::lint
