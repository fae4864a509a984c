// Stage: the database that a script is traced on: one of a sandbox of its own, or one that the user
// says nobody needs. Ends with the object.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "engine/sandbox/sandbox.h"

namespace pgalter::cli {

class Stage {
 public:
  // Throws Rejected: a database is named without --disposable (refused), no such server (usage).
  static Stage Set(const Context& context);

  [[nodiscard]] pg::ConnectOptions Connect() const;
  // What pg_dump's text makes; on a sandbox only.
  Task<> Load(const std::string& dump);
  [[nodiscard]] bool is_sandbox() const { return server_.has_value(); }
  [[nodiscard]] const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  std::optional<sandbox::Sandbox> server_;
  std::string dsn_;
  std::vector<std::string> remarks_;
};

}  // namespace pgalter::cli
