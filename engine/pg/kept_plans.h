// KeptPlans: while it lives, the connection's statements are kept by the server with their plans.
//
// For what is asked first without a lock and then again under it: most of the time of a question to
// the catalog goes into its plan. Plans are general ones (plan_cache_mode), since the server would
// make a special one for each of the first five times (plancache.c, choose_custom_plan); that
// setting lasts as long as the transaction.
#pragma once

#include "engine/pg/connection.h"

namespace pgalter::pg {

class KeptPlans {
 public:
  // In a transaction.
  static Task<> Generally(Connection& connection) {
    co_await connection.Query(
        "SELECT pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true)");
  }

  explicit KeptPlans(Connection& connection) : connection_(connection) {
    connection.KeepPlans(true);
  }
  KeptPlans(const KeptPlans&) = delete;
  KeptPlans& operator=(const KeptPlans&) = delete;
  ~KeptPlans() {
    if (connection_.open()) connection_.KeepPlans(false);
  }

 private:
  Connection& connection_;
};

}  // namespace pgalter::pg
