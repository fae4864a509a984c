#pragma once

// One operation of pgroll as what our own format has: statements, and marks of backfills and gates.
// Pure; private to migrations/formats.

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/formats/pgroll_object.h"

namespace pgalter::formats {

// Statements with their semicolons, or marks, each for lines of its own.
using OwnLines = std::vector<std::string>;

struct PgrollOperation {
  OwnLines start;
  // What is right only once every program works with the new schema: pgroll does it when it
  // completes.
  OwnLines complete;
  std::optional<OwnLines> down;  // nothing: it cannot be taken back
};

// Throws BadOperation: it is not known, or a key of it is not, or is missing, or is of another
// type.
[[nodiscard]] PgrollOperation ReadPgrollOperation(std::string_view name,
                                                  const boost::json::value& body);

// Whether there is an operation of that name.
[[nodiscard]] bool IsPgrollOperation(std::string_view name);

}  // namespace pgalter::formats
