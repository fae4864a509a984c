// Maintenance: keeps tables partitioned, one after the other, for as long as the server runs.
//
// Each look is a `pgalter partition maintain` of its own, in a process of its own: the same as from
// cron, with its own connections, and what goes wrong there ends nothing here. That of two servers
// only one is at a table is the command's: it takes the table's turn, or says who has it. One
// thread.
#pragma once

#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/serve/maintain_policy.h"

namespace pgalter::cli::serve {

using async::Task;

struct MaintainOptions {
  std::vector<MaintainWish> wishes;  // none: nothing is maintained
  async::Milliseconds every{std::chrono::hours(1)};
};

class Maintenance {
 public:
  // `changed`: somebody may want to look.
  Maintenance(const Context& context, MaintainOptions options, std::function<void()> changed);

  [[nodiscard]] bool asked() const { return !options_.wishes.empty(); }
  [[nodiscard]] async::Milliseconds every() const { return options_.every; }
  [[nodiscard]] const std::vector<Maintained>& tables() const { return tables_; }
  // Rises with each change.
  [[nodiscard]] std::int64_t revision() const { return revision_; }
  // Why it is not known which tables `all` are; empty: it is.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  // Before it is followed. Throws Rejected (usage): a time zone that the server does not know, one
  // table by two names.
  Task<> RefuseUnfit();

  // Until it is cancelled. What is at work then is paused cleanly, if it does not end by itself
  // within a few seconds.
  Task<> Follow();

 private:
  Task<> LookAtNames();
  Task<> FindAll();
  void SayWithoutRange(std::set<std::string> tables);
  Task<> LookForAll();
  Task<> MaintainOne(std::size_t place);
  Task<MaintainReport> Call(MaintainWish wish);
  void Say(const Maintained& table, const Maintained& before) const;
  void Changed();
  [[nodiscard]] double Chance() { return chance_(dice_); }

  const Context& context_;
  MaintainOptions options_;
  std::function<void()> changed_;
  std::vector<Maintained> tables_;
  std::int64_t revision_ = 0;
  std::string problem_;
  std::optional<MaintainWish> all_;
  std::set<std::string> without_range_;  // among all: these are left alone, which has been said
  async::Clock::time_point next_all_;
  std::minstd_rand dice_{std::random_device{}()};
  std::uniform_real_distribution<double> chance_{0.0, 1.0};
};

}  // namespace pgalter::cli::serve
