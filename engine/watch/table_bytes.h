// How much room a table takes, with its partitions, indexes and TOAST tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/guard/session.h"

namespace pgalter::watch {

// In bytes, by the table's name as SQL quotes it; nullopt: there is none of that name. Takes
// ACCESS SHARE for a moment, and throws pg::PgError where the session's lock_timeout ends that.
async::Task<std::optional<std::int64_t>> ReadTableBytes(guard::Session& session,
                                                        const std::string& table);

// The same of all tables of a schema, and of those of its name with a number ("made_2"); 0 where
// there is none.
async::Task<std::int64_t> ReadSchemaBytes(guard::Session& session, const std::string& schema);

}  // namespace pgalter::watch
