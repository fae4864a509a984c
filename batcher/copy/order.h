// Order: by which columns a copy is to be sorted on disk, and whether the table can be read so.
#pragma once

#include <string>
#include <vector>

#include "batcher/capture/flow.h"
#include "engine/run/step_handler.h"

namespace pgalter::copy {

using guard::Session;
using run::Task;

struct OrderColumn {
  std::string name;  // quoted
  std::string type;  // with its schema
};

// `order_by` is what stands behind ORDER BY: names of columns of the flow's source, ascending. The
// flow's key follows them, where it does not stand there already: no two rows have the same place.
// Throws run::Failure where a part of it is anything else, or where no index can read the table
// chunk by chunk in that order.
Task<std::vector<OrderColumn>> ReadOrder(Session& session, const capture::Flow& flow,
                                         std::string order_by);

}  // namespace pgalter::copy
