// A copy of a running cluster's files for a standby, as pg_basebackup makes it, but without that
// program: a server that comes without client programs can have standbys, too. Blocks. For this
// room only.
//
// PostgreSQL docs, "Making a Non-Exclusive Low-Level Backup" (25.3.3): the session that starts the
// backup must stay until its end; postmaster.pid and what is in pg_wal, pg_replslot and the like
// stay out. The WAL of the backup is copied behind it, held meanwhile by a temporary slot.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/sandbox/process.h"

namespace pgalter::sandbox {

struct BaseBackup {
  std::string conninfo;        // of the running server, as a superuser
  std::filesystem::path from;  // its data folder
  std::filesystem::path to;    // an empty folder
  std::optional<User> owner;   // of the copy
  std::string slot;            // a physical slot to make for the standby; empty: none
};

// Throws SandboxError or what engine/pg throws. Tablespaces are refused: their files would be
// shared.
void CopyForStandby(const BaseBackup& backup);

}  // namespace pgalter::sandbox
