#pragma once

// What rules about single columns ask.

#include "planner/lint/rules/around.h"

namespace pgalter::lint {

// nullptr: the table is not in use, or the column not known.
[[nodiscard]] inline const catalog::Column* ColumnInUse(const Context& context,
                                                        const sql::ast::AlterTable& alter,
                                                        const std::string& column) {
  const catalog::Table* table = context.schema.FindTable(alter.name);
  if (table == nullptr || !InUse(context, alter.name)) return nullptr;
  return table->FindColumn(column);
}

// All columns of the table are known.
[[nodiscard]] inline bool IsKnown(const Context& context, const sql::ast::AlterTable& alter) {
  const catalog::Table* table = context.schema.FindTable(alter.name);
  return table != nullptr && table->complete;
}

}  // namespace pgalter::lint
