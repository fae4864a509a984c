// The primary key that a conversion makes, where the user says which columns it is to have, and in
// which order. Without: those of now, and behind them the columns by which rows are parted.
#pragma once

#include <string>
#include <vector>

#include "batcher/backfill/target.h"
#include "batcher/partition/spec.h"
#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

// Gives the primary key's wide form among `keys` (FindWidenedKeys) the columns `wished`, not
// quoted; `parting` are those by which rows are parted. True where it has more than these and those
// of now. Without a wish: nothing, and false. Throws run::Failure: usage, refused with the way out.
Task<bool> NameColumns(Session& session, backfill::Table table, std::vector<std::string> wished,
                       std::vector<std::string> parting, std::vector<WidenedKey>& keys);

}  // namespace pgalter::partition
