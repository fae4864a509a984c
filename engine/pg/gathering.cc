#include "engine/pg/gathering.h"

#include <boost/asio/as_tuple.hpp>
#include <iterator>
#include <utility>

namespace pgalter::pg {

namespace asio = boost::asio;

namespace {

constexpr auto kNever = asio::steady_timer::time_point::max();

}  // namespace

struct Gathering::Waiting {
  std::vector<Statement> statements;
  asio::steady_timer answered;  // cancelled when it is
  std::size_t count = 0;
  bool is_answered = false;
  std::vector<Result> results;
};

Gathering::Gathering(asio::any_io_executor executor, std::size_t coroutines)
    : executor_(std::move(executor)), all_wait_(executor_), running_(coroutines) {}

void Gathering::Changed() {
  if (waiting_.size() == running_) all_wait_.cancel();
}

Task<std::vector<Result>> Gathering::Ask(std::vector<Statement> statements) {
  Waiting waiting{std::move(statements), asio::steady_timer(executor_, kNever), 0, false, {}};
  waiting.count = waiting.statements.size();
  waiting_.push_back(&waiting);
  Changed();
  co_await waiting.answered.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!waiting.is_answered) {
    std::erase(waiting_, &waiting);
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return std::move(waiting.results);
}

void Gathering::Join(std::size_t more) { running_ += more; }

void Gathering::Leave() {
  --running_;
  Changed();
}

Task<std::vector<Statement>> Gathering::Asked() {
  while (waiting_.size() != running_) {
    all_wait_.expires_at(kNever);
    co_await all_wait_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  std::vector<Statement> all;
  for (Waiting* const waiting : waiting_)
    std::ranges::move(waiting->statements, std::back_inserter(all));
  co_return all;
}

void Gathering::Answer(std::vector<Result> results) {
  auto next = results.begin();
  for (Waiting* const waiting : std::exchange(waiting_, {})) {
    const auto end = next + static_cast<std::ptrdiff_t>(waiting->count);
    waiting->results.assign(std::make_move_iterator(next), std::make_move_iterator(end));
    next = end;
    waiting->is_answered = true;
    waiting->answered.cancel();
  }
}

}  // namespace pgalter::pg
