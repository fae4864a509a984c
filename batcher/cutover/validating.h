// Validating: foreign keys that were added NOT VALID, once users work on. Where nothing has checked
// rows meanwhile, one of them may refer to nothing: people are told which, and what to do.
#pragma once

#include <string>

#include "engine/guard/session.h"

namespace pgalter::cutover {

using async::Task;
using guard::Session;

// What a refusal says besides the row.
struct Validating {
  std::string standing;  // what is done already: a sentence without its end
  std::string then;      // the command to give once the row is mended
};
// After the tables are back.
[[nodiscard]] Validating ValidatingBack(const std::string& run);
// After the new tables are in place.
[[nodiscard]] Validating ValidatingThere(const std::string& run);

// Runs `sql`, one statement of CarryOver's `validate`. Throws run::Failure for a row that refers to
// nothing.
//
// Lock: the statement's, then ACCESS SHARE on both tables. Blocks: nobody's rows.
Task<> Validate(Session& session, std::string sql, Validating how);

}  // namespace pgalter::cutover
