// What happens to the programs of a round, and to its table by other people's hands.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "tests/torture/round.h"

namespace pgalter::test {

namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 9> kEvents{
    "kill", "terminate", "pause", "crash", "rival", "freeze", "stall", "misfit", "meddling"};

constexpr std::array kOdds{Event::kKill,  Event::kKill,   Event::kKill,   Event::kTerminate,
                           Event::kPause, Event::kCrash,  Event::kRival,  Event::kFreeze,
                           Event::kStall, Event::kMisfit, Event::kMeddle, Event::kMeddle};

constexpr const char* kAlone = "BEGIN; SET LOCAL lock_timeout = '500ms'; LOCK TABLE public.items;";
constexpr const char* kRewrite =
    "UPDATE mirror SET pad = pad || '+'; ALTER TABLE items ALTER pad TYPE text USING pad || '+'; "
    "COMMIT";

void SleepFor(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));  // the moment under test
}

}  // namespace

Event Round::WhatNext() {
  const char* const only = std::getenv("PGALTER_TORTURE_EVENT");
  for (std::size_t i = 0; only != nullptr && i < kEvents.size(); ++i)
    if (kEvents.at(i) == only) return static_cast<Event>(i);
  if (crowd_.narrow && OneIn(2)) return Event::kMisfit;
  return kOdds.at(static_cast<std::size_t>(Pick(0, static_cast<int>(kOdds.size()) - 1)));
}

void Round::Disturb(Program& program) {
  switch (WhatNext()) {
    case Event::kKill:
      Tell("kill");
      program.Signal(SIGKILL);
      break;
    case Event::kTerminate:
      Tell("terminate");
      arena_.Sql(
          fmt::format("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                      "current_database() AND application_name LIKE 'pgalter/%'{}",
                      OneIn(2) ? "" : " AND pid % 2 = 0"));
      break;
    case Event::kPause:
      Tell("pause");
      program.Signal(SIGINT);
      break;
    case Event::kCrash:
      CrashOrFailOver(program);
      break;
    case Event::kRival:
      Rival();
      break;
    case Event::kFreeze:
      Tell("freeze");
      program.Signal(SIGSTOP);
      SleepFor(Pick(100, 1500));
      program.Signal(SIGCONT);
      break;
    case Event::kStall:
      Stall(program);
      break;
    case Event::kMisfit:
      Misfit();
      break;
    case Event::kMeddle:
      Meddle();
      break;
  }
}

void Round::CrashOrFailOver(Program& program) {
  if (standby_) {
    Tell("failover");
    program.Signal(SIGKILL);
    arena_.FailOver();
    standby_ = false;
  } else if (OneIn(2)) {
    Tell("crash");
    arena_.Crash();
  }
}

void Round::Rival() {
  if (Runs() == 0) return;
  Tell("rival");
  Program rival = arena_.Start({"resume", RunId(), "--take-over"});
  SleepFor(Pick(0, 800));
  rival.Signal(SIGKILL);
  (void)rival.Wait();
}

void Round::Stall(Program& program) {
  if (back_ || Runs() == 0 || State() == "done") return;
  Tell("stall");
  program.Signal(SIGSTOP);
  const std::string epoch = "SELECT epoch FROM pgalter.lease WHERE run = '" + RunId() + "'";
  const std::string before = arena_.Value(epoch);
  Program rival = arena_.Start({"resume", RunId(), "--take-over"});
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (rival.running() && arena_.Value(epoch) == before &&
         std::chrono::steady_clock::now() < until)
    SleepFor(5);
  SleepFor(Pick(0, 600));
  program.Signal(SIGCONT);
  const Ran ran = Attend(rival, "a rival", [] {});
  if (!IsMisfit(ran) && !IsFine(ran))
    Complain(fmt::format("a rival ended with {}: {}", ran.code, ran.err));
}

std::string Round::Meddling() {
  const bool partitioned =
      arena_.Value("SELECT relkind FROM pg_class WHERE oid = 'public.items'::regclass") == "p";
  if (partitioned && !crowd_.predicts) return MeddlingWithPartitions();
  if (partitioned) return "VACUUM FULL items";
  if (crowd_.predicts || OneIn(2))
    return OneIn(2) ? "VACUUM FULL items" : "CLUSTER items USING items_a";
  return std::string(kAlone) + kRewrite;
}

std::string Round::MeddlingWithPartitions() {
  const std::string leaf = arena_.Value(fmt::format(
      "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'public.items'::regclass ORDER "
      "BY md5(inhrelid::regclass::text || '{}') LIMIT 1",
      Pick(0, 1'000)));
  const std::string bound = arena_.Value(
      "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = '" + leaf + "'::regclass");
  const bool hashed = bound.find("MODULUS") != std::string::npos;
  const std::string forget =
      kAlone + fmt::format("DELETE FROM mirror WHERE id IN (SELECT id FROM {});", leaf);
  switch (Pick(0, 4)) {
    case 0:
      return fmt::format("{} TRUNCATE {}; COMMIT", forget, leaf);
    case 1:
      // Without a DEFAULT users' rows of that range would fit nowhere from then on.
      if (hashed || bound == "DEFAULT" || crowd_.narrow) return "VACUUM FULL items";
      return fmt::format("{} DROP TABLE {}; COMMIT", forget, leaf);
    case 2:
      return std::string(kAlone) + kRewrite;
    case 3:  // a new one, with rows
      if (hashed || crowd_.narrow) return "VACUUM FULL items";
      ++came_;
      return fmt::format(
          "{0} CREATE TABLE items_came_{1} (LIKE items INCLUDING DEFAULTS); INSERT INTO "
          "items_came_{1} SELECT k(nextval('item_id')), {2} + g % 10, nextval('item_u'), 'came' "
          "FROM generate_series(1, 60) g; INSERT INTO mirror SELECT * FROM items_came_{1}; ALTER "
          "TABLE items ATTACH PARTITION items_came_{1} FOR VALUES FROM ({2}) TO ({3}); COMMIT",
          kAlone, came_, 2'000 + 100 * came_, 2'090 + 100 * came_);
    default:  // away for a while, and changed there
      return fmt::format(
          "{0} ALTER TABLE items DETACH PARTITION {1}; DELETE FROM {1} WHERE a % 7 = 0; UPDATE {1} "
          "SET pad = 'was away' WHERE a % 3 = 0; INSERT INTO mirror SELECT * FROM {1}; ALTER TABLE "
          "items ATTACH PARTITION {1} {2}; COMMIT",
          forget, leaf, bound);
  }
}

// Who is in the way of it, stays: the next one may come through.
void Round::Meddle() {
  std::string what;
  try {
    what = Meddling();
    Session session = arena_.Connect();
    session.Exec("SET lock_timeout = '500ms'");
    session.Exec(what);
    Tell("meddling");
  } catch (const SqlError& error) {
    for (const char* state : {"55P03", "40P01", "42P01", "57014"})
      if (error.sqlstate() == state) return;
    Complain(fmt::format("meddling: {}: {}", what, error.what()));
  }
}

void Round::Misfit() {
  if (!crowd_.narrow) return Meddle();
  try {
    arena_.Sql(
        fmt::format("INSERT INTO items (id, a) VALUES (k(nextval('item_id')), {})", kTop + 7));
    Tell("misfit");
  } catch (const SqlError& error) {
    if (error.sqlstate() != "23514") throw;  // it is told so at once: the partitions are in place
  }
}

void Round::Mend() {
  for (int attempt = 1;; ++attempt) {
    try {
      return arena_.Sql(fmt::format("UPDATE items SET a = 7 WHERE a >= {}", kTop));
    } catch (const SqlError& error) {
      if (attempt == 10 || error.sqlstate() != "40P01") throw;
    }
  }
}

}  // namespace pgalter::test
