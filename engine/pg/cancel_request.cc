#include "engine/pg/cancel_request.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <thread>

#include "engine/async/deadline.h"

namespace pgalter::pg {

namespace asio = boost::asio;

namespace {

// The thread signals through a file descriptor of its own and never touches the executor, which may
// be gone by the time a dead host's connect() gives up.
class Event {
 public:
  Event() : fd_(::eventfd(0, EFD_CLOEXEC)) {
    if (fd_ < 0) throw boost::system::system_error(errno, boost::system::system_category());
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { ::close(fd_); }

  void Signal() const { ::eventfd_write(fd_, 1); }
  int Duplicate() const { return ::dup(fd_); }

 private:
  int fd_;
};

async::Task<> Readable(asio::posix::stream_descriptor& descriptor) {
  co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

}  // namespace

CancelRequest::CancelRequest(const asio::any_io_executor& executor, pg_conn* conn)
    : returned_(executor) {
  const auto event = std::make_shared<Event>();
  returned_.assign(event->Duplicate());
  const std::shared_ptr<PGcancel> cancel(PQgetCancel(conn), &PQfreeCancel);
  std::thread([cancel, event] {
    char error[256];
    if (cancel) PQcancel(cancel.get(), error, sizeof error);
    event->Signal();
  }).detach();
}

bool CancelRequest::returned() {
  pollfd event{returned_.native_handle(), POLLIN, 0};
  return ::poll(&event, 1, 0) == 1;
}

async::Task<bool> CancelRequest::Returned(async::Milliseconds limit) {
  bool returned = true;
  try {
    co_await async::WithDeadline(Readable(returned_), limit);
  } catch (const async::DeadlineExceeded&) {
    returned = false;
  }
  co_return returned;
}

}  // namespace pgalter::pg
