// Feed: the runs of the database, looked at once a second while somebody watches (every 5 s
// otherwise) and shared by all who watch, so that many pages cost the server no more than one.
//
// The one session is read-only and is opened again by itself, for as long as it takes; until then
// the last picture stands, and says that it is old. Each change gets a number; who watches asks for
// what came after the last one he has seen. One thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/guard/session.h"
#include "engine/state/runs.h"

namespace pgalter::cli::serve {

using async::Task;

struct ShownRun {
  state::Run run;
  std::optional<state::Runner> runner;
  std::string json;           // what RunsText sends
  std::int64_t revision = 0;  // of its last change
};

// The server cannot be reached now, or refuses.
class Unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Link {
  bool connected = false;
  std::string as_of;    // UTC, ISO 8601: when the picture was last right
  std::string problem;  // why it is not connected
};

class Feed {
 public:
  explicit Feed(pg::ConnectOptions connect) : connect_(std::move(connect)) {}

  // Connects and looks for the first time: throws what is wrong then.
  Task<> Open();
  // Looks until it is cancelled.
  Task<> Follow();
  // Looks now, unless somebody has within the last second. What goes wrong then is Follow's to say.
  Task<> Freshen();

  // Newest first.
  [[nodiscard]] std::vector<const ShownRun*> Runs() const;
  // By its id or a prefix that is unique.
  [[nodiscard]] const ShownRun* Find(const std::string& id_or_prefix) const;
  [[nodiscard]] const Link& link() const { return link_; }
  [[nodiscard]] std::int64_t revision() const { return revision_; }
  [[nodiscard]] std::int64_t link_revision() const { return link_revision_; }
  // From here on some are gone: whoever has seen less has to be told all.
  [[nodiscard]] std::int64_t removal_revision() const { return removal_revision_; }

  // Something else that is shown has changed.
  void Touch() {
    ++revision_;
    Wake(watching_);
  }
  // Returns when there is a change after `seen`, or the limit has passed.
  Task<> AwaitChange(std::int64_t seen, async::Milliseconds limit);

  // While one lives, somebody watches.
  class Watching {
   public:
    explicit Watching(Feed& feed) : feed_(feed) {
      ++feed_.watchers_;
      feed_.Wake(feed_.idle_);
    }
    Watching(const Watching&) = delete;
    Watching& operator=(const Watching&) = delete;
    ~Watching() { --feed_.watchers_; }

   private:
    Feed& feed_;
  };

  // What `read`, (guard::Session&) -> Task<T>, finds in the session: one reader at a time. Throws
  // Unavailable. Name the reader before the call.
  template <class Read>
  auto Ask(Read& read) -> std::invoke_result_t<Read&, guard::Session&> {
    co_await TakeTurn();
    const Turn turn(*this);
    if (!session_.open()) throw Unavailable(link_.problem);
    co_return co_await read(session_);
  }

 private:
  using Sleepers = std::set<boost::asio::steady_timer*>;
  class Turn {
   public:
    explicit Turn(Feed& feed) : feed_(feed) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      feed_.taken_ = false;
      feed_.Wake(feed_.queue_);
    }

   private:
    Feed& feed_;
  };

  Task<> Connect();
  Task<> Look();
  Task<> LookInTurn(async::Clock::duration fresh);
  Task<> TakeTurn();
  Task<> Sleep(Sleepers& among, async::Milliseconds limit);
  void Wake(Sleepers& sleepers);
  void Take(std::vector<state::Run> runs, const std::map<std::string, state::Runner>& runners);
  void ForgetMissing(const std::vector<state::Run>& all);
  void SetLink(bool connected, std::string problem);

  pg::ConnectOptions connect_;
  guard::Session session_;
  bool installed_ = false;
  async::Clock::time_point looked_at_;
  async::Clock::time_point next_whole_look_;
  std::map<std::string, ShownRun> runs_;
  Link link_;
  std::int64_t revision_ = 0;
  std::int64_t link_revision_ = 0;
  std::int64_t removal_revision_ = 0;
  int watchers_ = 0;
  bool taken_ = false;
  Sleepers queue_;     // for the session
  Sleepers watching_;  // for a change
  Sleepers idle_;      // Follow, between two looks
};

}  // namespace pgalter::cli::serve
