// CancelRequest: asks the server to cancel what a connection runs. Sent on a thread of its own,
// since PQcancel opens a connection and blocks, for ever where the network has gone silent: nobody
// may have to wait behind it. Internal to engine/pg.
//
// A request that is still on its way hits whatever statement the session runs when it arrives: the
// connection is used again only after Returned() said true.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "engine/async/task.h"

struct pg_conn;

namespace pgalter::pg {

class CancelRequest {
 public:
  CancelRequest(const boost::asio::any_io_executor& executor, pg_conn* conn);

  // At once: has it come back?
  bool returned();
  // True once the server has acted on the request, or it has failed for good.
  async::Task<bool> Returned(async::Milliseconds limit);

 private:
  boost::asio::posix::stream_descriptor returned_;
};

}  // namespace pgalter::pg
