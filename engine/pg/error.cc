#include "engine/pg/error.h"

#include <fmt/format.h>

#include <utility>

namespace pgalter::pg {

namespace {

std::string Describe(const PgErrorFields& fields) {
  std::string text = fmt::format("{} (SQLSTATE {})", fields.message, fields.sqlstate);
  if (!fields.object.empty()) text += fmt::format(" on {}", fields.object);
  if (!fields.hint.empty()) text += fmt::format("; hint: {}", fields.hint);
  return text;
}

}  // namespace

PgError::PgError(PgErrorFields fields)
    : std::runtime_error(Describe(fields)), fields_(std::move(fields)) {}

}  // namespace pgalter::pg
