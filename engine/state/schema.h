// Schema pgalter: installing it, upgrading it, and refusing where it would do harm.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "engine/guard/session.h"

namespace pgalter::state {

using async::Task;
using guard::Session;

// A publication would send our tables to subscribers that do not have them, which stops these.
class PublishedSchema : public std::runtime_error {
 public:
  // `remedies`: the statements that take our tables out, where that can be done.
  PublishedSchema(const std::vector<std::string>& publications,
                  const std::vector<std::string>& remedies);
};

// The schema was made by a newer pgalter.
class NewerSchema : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Installation {
  int before = 0;  // 0: was not there
  int now = 0;
};

// Idempotent; safe beside another session doing the same. Throws PublishedSchema before anything is
// written, NewerSchema, PgError.
Task<Installation> Install(Session& session);

// The version installed, 0 where the schema is not there. Reads only.
Task<int> InstalledVersion(Session& session);

// Throws `error`, an SQLSTATE 42501 on schema pgalter, with the GRANT that helps.
Task<> ThrowWithGrant(Session& session, pg::PgError error);

// Throws PublishedSchema. Every run asks again: publications come and go.
Task<> RefusePublication(Session& session);

}  // namespace pgalter::state
