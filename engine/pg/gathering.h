// Gathering: what coroutines ask one connection meanwhile, to be sent in one pipeline. Internal to
// engine/pg: see Connection::Together.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <vector>

#include "engine/pg/connection.h"

namespace pgalter::pg {

class Gathering {
 public:
  // Of so many coroutines, each of which ends with Leave.
  Gathering(boost::asio::any_io_executor executor, std::size_t coroutines);
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

  // By one of them. Throws operation_aborted when it is cancelled before there is an answer.
  Task<std::vector<Result>> Ask(std::vector<Statement> statements);
  void Join(std::size_t more);  // coroutines
  void Leave();

  // By who sends: waits until each of them has asked or ended.
  Task<std::vector<Statement>> Asked();
  bool over() const { return running_ == 0; }
  // Of all that Asked returned, in its order.
  void Answer(std::vector<Result> results);

 private:
  struct Waiting;

  void Changed();

  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer all_wait_;  // cancelled when they do
  std::size_t running_;
  std::vector<Waiting*> waiting_;  // in their coroutines
};

}  // namespace pgalter::pg
