#include "planner/locks/effects.h"

#include <algorithm>
#include <variant>

#include "planner/locks/forms.h"

namespace pgalter::locks {

Effects EffectsOf(const sql::ast::Statement& statement, const catalog::Schema& schema,
                  int server_version) {
  Draft draft(schema, server_version);
  std::visit([&](const auto& body) { Form(body, draft); }, statement.body);
  return draft.Finish();
}

}  // namespace pgalter::locks
