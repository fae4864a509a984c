// The xmin horizon: while somebody holds it back, dead versions cannot be pruned, and striping only
// costs. Sessions of our own are left out.
#pragma once

#include <string>

#include "engine/guard/session.h"

namespace pgalter::backfill {

using async::Task;
using guard::Session;

struct Horizon {
  double held_s = 0;   // how long the oldest holder's transaction has been open; 0: nobody
  std::string holder;  // for people
};

Task<Horizon> ReadHorizon(Session& session);

}  // namespace pgalter::backfill
