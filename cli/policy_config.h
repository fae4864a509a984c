// [env.NAME.policy] of pgalter.toml: what has to hold before a migration is begun there. It takes
// effect when `pgalter policy set` has put it into the database.
//
//   [env.production.policy]
//   quorum = { technical = "dba", compliance = "officers" }   # meaning: role of those who may
//   distinct = true                       # each approval another person's (default)
//   expires = "7 days"                    # of an approval
//   headers = ["ticket", "change.risk"]   # that a migration, or its change record, must have
//   require_down = true                   # or "irreversible: reason" in its header
//   evidence = { backup = "24 hours" }    # kind: how young (pgalter attest)
//   windows = [{ days = ["Sun"], from = "02:00", to = "04:00", tz = "Europe/Berlin" }]
//   blackouts = [{ days = ["Fri"], from = "12:00", to = "23:59", tz = "Europe/Berlin" }]
//   require_tls = true
//   break_glass = "oncall"                # role that may begin all the same, with a reason
//   routine = "maintenance"               # role whose runs need no approval, as those of cron
//   windows_over = "1 minute"             # windows are for what may take longer
#pragma once

#include <string>
#include <vector>

namespace pgalter::cli {

// As JSON. `path` empty: pgalter.toml in the working directory. Throws Rejected (usage): no such
// file, environment or policy, a key that nobody reads, a value of another kind.
std::string PolicyOfEnvironment(const std::string& path, const std::string& environment);
// Its `headers`.
std::vector<std::string> HeadersOfPolicy(const std::string& path, const std::string& environment);

}  // namespace pgalter::cli
