#include "planner/sql/ast/versions.h"

#include <type_traits>

#include "planner/sql/ast/names.h"

namespace pgalter::sql::ast {
namespace {

// Templates, so that only what the installed version has is looked up.

template <class Grant>
bool AdminOptionOf(const Grant& statement) {
  if constexpr (requires { statement.admin_opt(); }) {
    return statement.admin_opt();
  } else {
    return IsOn(statement.opt(), "admin");  // since 16
  }
}

// In 15 a letter or the word that was written, an enumeration since.
template <class Spec>
std::string StrategyOf(const Spec& spec) {
  using Strategy = std::remove_cvref_t<decltype(spec.strategy())>;
  if constexpr (std::is_enum_v<Strategy>) {
    return PartitionStrategy_Name(spec.strategy());
  } else {
    return spec.strategy();
  }
}

template <class Constraint>
bool VirtualOf(const Constraint& constraint) {
  if constexpr (requires { constraint.generated_kind(); }) {
    return constraint.generated_kind() == "v";
  } else {
    return false;
  }
}

}  // namespace

bool HasAdminOption(const pg_query::GrantRoleStmt& statement) { return AdminOptionOf(statement); }

std::string PartitionStrategyOf(const pg_query::PartitionSpec& spec) {
  const std::string written = LowerCase(StrategyOf(spec));
  for (const char* strategy : {"range", "list", "hash"}) {
    if (written.ends_with(strategy) || written == std::string(1, strategy[0])) return strategy;
  }
  return written;
}

bool IsVirtual(const pg_query::Constraint& constraint) { return VirtualOf(constraint); }

}  // namespace pgalter::sql::ast
