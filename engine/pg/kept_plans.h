// KeptPlans: while it lives, the connection's statements are kept by the server with their plans:
// of a pipeline those with parameters, as the others are DDL of one time.
#pragma once

#include "engine/pg/connection.h"

namespace pgalter::pg {

class KeptPlans {
 public:
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
