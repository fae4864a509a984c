#include <exception>
#include <utility>

#include "engine/async/task_group.h"
#include "engine/pg/gathering.h"
#include "engine/pg/session_core.h"

namespace pgalter::pg {

namespace {

using Asks = std::vector<std::function<Task<>()>>;

// Its error is kept, not thrown: which one is thrown does not hang on which came first.
Task<> Run(std::function<Task<>()>& ask, std::exception_ptr& error, std::function<void()> leave) {
  try {
    co_await ask();
  } catch (...) {
    error = std::current_exception();
  }
  leave();
}

void Rethrow(const std::vector<std::exception_ptr>& errors) {
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

// By one of those who are gathered already: they take its place, and the last one leaves it to it.
Task<> RunAmong(Gathering& gathering, Asks& asks) {
  std::vector<std::exception_ptr> errors(asks.size());
  std::size_t running = asks.size();
  const auto leave = [&]() {
    if (--running > 0) gathering.Leave();
  };
  gathering.Join(asks.size() - 1);
  auto all = [&](async::TaskGroup& group) -> Task<> {
    for (std::size_t i = 0; i < asks.size(); ++i) group.Spawn(Run(asks[i], errors[i], leave));
    co_return;
  };
  co_await async::WithTaskGroup(all);
  Rethrow(errors);
}

// The connection's, while it lives.
class Gathered {
 public:
  Gathered(SessionCore& core, Gathering& gathering) : core_(core) { core_.gathering = &gathering; }
  Gathered(const Gathered&) = delete;
  Gathered& operator=(const Gathered&) = delete;
  ~Gathered() { core_.gathering = nullptr; }

 private:
  SessionCore& core_;
};

}  // namespace

Task<> Connection::Together(Asks asks) {
  const auto keep = core_;
  if (asks.empty()) co_return;
  if (core().gathering != nullptr) co_return co_await RunAmong(*core().gathering, asks);
  Gathering gathering(co_await boost::asio::this_coro::executor, asks.size());
  std::vector<std::exception_ptr> errors(asks.size());
  const auto leave = [&]() { gathering.Leave(); };
  auto all = [&](async::TaskGroup& group) -> Task<> {
    for (std::size_t i = 0; i < asks.size(); ++i) group.Spawn(Run(asks[i], errors[i], leave));
    for (;;) {
      std::vector<Statement> statements = co_await gathering.Asked();
      if (gathering.over()) co_return;
      std::vector<Result> results = co_await SendAll(std::move(statements));
      gathering.Answer(std::move(results));
    }
  };
  {
    const Gathered gathered(*keep, gathering);
    co_await async::WithTaskGroup(all);
  }
  Rethrow(errors);
}

}  // namespace pgalter::pg
