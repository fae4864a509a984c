#include "cli/govern/refused.h"

#include "cli/rejected.h"
#include "migrations/history/policy.h"

namespace pgalter::cli {

void RethrowAsPolicy(const pg::PgError& error) {
  const pg::PgErrorFields& fields = error.fields();
  if (error.Is(history::kPolicyRefuses))
    throw Rejected(
        run::ExitCode::kRefused,
        "the policy of this database says no: " + fields.message + ". Nothing was changed",
        "pgalter policy show tells what is asked for; pgalter approve lists what waits");
  if (error.Is(history::kPolicyUnknown))
    throw Rejected(run::ExitCode::kUsage, fields.message,
                   fields.hint.empty() ? "pgalter approve lists what waits" : fields.hint);
}

}  // namespace pgalter::cli
