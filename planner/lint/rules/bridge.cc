#include "planner/lint/rules/bridge.h"

#include <algorithm>

namespace pgalter::lint {

using sql::ast::Rename;
using sql::ast::Statement;

bool KeepsName(const Context& context, const Rename& rename) {
  const catalog::QualifiedName taken{rename.name.schema, rename.new_name};
  const auto frees = [&](const Statement& statement) {
    const auto* other = statement.As<Rename>();
    return other != nullptr && other->part.empty() && Same(context, other->name, taken);
  };
  return AnyLater(context,
                  [&](const Statement& later) { return Makes(context, later, rename.name); }) ||
         AnyEarlier(context, frees);
}

bool HasViewBridge(const Context& context, const catalog::QualifiedName& table) {
  std::vector<const ScriptStatement*> all = Earlier(context);
  const auto later = Later(context);
  all.insert(all.end(), later.begin(), later.end());
  return std::ranges::any_of(all, [&](const ScriptStatement* read) {
    const auto* rename = read->statement.As<Rename>();
    if (rename == nullptr || !rename->part.empty()) return false;
    const catalog::QualifiedName renamed{rename->name.schema, rename->new_name};
    if (!Same(context, rename->name, table) && !Same(context, renamed, table)) return false;
    return std::ranges::any_of(all, [&](const ScriptStatement* other) {
      const auto* view = other->statement.As<sql::ast::CreateView>();
      return view != nullptr && Same(context, view->name, rename->name);
    });
  });
}

}  // namespace pgalter::lint
