// Shape: what a conversion relies on, as a short text: columns, indexes and constraints of a table,
// without what runs of ours add to it. Equal before and after, or somebody has changed the table.
#pragma once

#include <string>

#include "engine/guard/session.h"

namespace pgalter::partition {

using async::Task;
using guard::Session;

inline constexpr const char* kShape = "shape";  // in the spec of the step that made the parent

Task<std::string> ShapeOf(Session& session, pg::Oid table);

}  // namespace pgalter::partition
