// `pgalter watch` on a real terminal: what it shows and what its keys do, and that the terminal is
// as before however it ends.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>

#include "tests/fault/backfill_world.h"
#include "tests/support/pty.h"

namespace pgalter::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kIn = "\x1b[?1049h";
constexpr const char* kOut = "\x1b[?1049l";

std::string Whole(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::size_t Width(const std::string& text) {
  std::size_t width = 0;
  for (const char c : text) width += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return width;
}

class Screen : public BackfillWorld {
 protected:
  // In the middle, for as long as the test wants it.
  void HeldRun() {
    MakeItems();
    Words words = Backfill(Slowly());
    words.insert(words.end(), {"--dsn", database_.conninfo(), "--detach"});
    const Ran ran = Program(PGALTER_BINARY, words).Wait(kLimit);
    ASSERT_EQ(ran.code, 0) << ran.err;
    Hold();
  }
  [[nodiscard]] Words Watch(const Words& more = {}) const {
    Words words{"watch", RunId(), "--dsn", database_.conninfo()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static Words Term(const Words& more = {}) {
    Words words{"TERM=xterm-256color", "NO_COLOR="};
    words.insert(words.begin(), more.begin(), more.end());
    return words;
  }
  void EndRun() {
    LetGo();
    database_.AwaitValue("SELECT state FROM pgalter.run", "done", kLimit);
    ExpectRight();
  }
  static void ExpectRestored(const Pty& pty) {
    EXPECT_TRUE(pty.IsAsBefore());
    const auto in = pty.said().rfind(kIn);
    const auto out = pty.said().rfind(kOut);
    ASSERT_NE(in, std::string::npos);
    ASSERT_NE(out, std::string::npos);
    EXPECT_GT(out, in);
    EXPECT_THAT(pty.said().substr(pty.said().rfind("\x1b[?25")), HasSubstr("\x1b[?25h"));
  }
};

TEST_F(Screen, ShowsTheRunAndIsLeftByAKey) {
  HeldRun();
  Pty pty(PGALTER_BINARY, Watch(), Term());
  ASSERT_TRUE(pty.AwaitShown("q leave")) << pty.said();
  ASSERT_TRUE(pty.AwaitShown("nobody waits for a lock")) << pty.said();
  const std::string shown = Whole(pty.Frame());
  EXPECT_THAT(shown, HasSubstr("backfill public.items  " + RunId()));
  EXPECT_THAT(shown, HasSubstr("rows   "));
  EXPECT_THAT(shown, HasSubstr("pace   0 % of the time: set to at most 0"));
  EXPECT_THAT(shown, HasSubstr("chunk  "));
  EXPECT_THAT(shown, HasSubstr("at work     "));
  EXPECT_EQ(pty.Frame().size(), 40U);
  pty.Press("q");
  EXPECT_EQ(pty.Wait(), 0);
  ExpectRestored(pty);
  EXPECT_THAT(pty.said().substr(pty.said().rfind(kOut)), HasSubstr("the run goes on as it is"));
  EXPECT_EQ(StateOfRun(), "running");
  EndRun();
}

TEST_F(Screen, KeysPauseResumeAndChangeThePace) {
  HeldRun();
  Pty pty(PGALTER_BINARY, Watch(), Term());
  ASSERT_TRUE(pty.AwaitShown("q leave"));
  pty.Press("p");
  ASSERT_TRUE(pty.AwaitShown("What is in flight")) << Whole(pty.Frame());
  pty.Press("x");
  ASSERT_TRUE(pty.AwaitShown("left as it is"));
  EXPECT_EQ(StateOfRun(), "running");
  pty.Press("p");
  ASSERT_TRUE(pty.AwaitShown("What is in flight")) << Whole(pty.Frame());
  pty.Press("y");
  ASSERT_TRUE(pty.AwaitShown("paused, ")) << Whole(pty.Frame());
  EXPECT_EQ(StateOfRun(), "paused");
  database_.AwaitValue(
      "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgalter/%'"
      " AND datname = current_database()",
      "0", kLimit);
  EXPECT_THAT(Whole(pty.Frame()), HasSubstr("q leave")) << "it stays, so that r can be pressed";
  pty.Press("+");
  ASSERT_TRUE(pty.AwaitShown("at most 10 % of the time"));
  EXPECT_EQ(database_.Value("SELECT throttle->>'ratio' FROM pgalter.control"), "0.1");
  pty.Press("-");
  ASSERT_TRUE(pty.AwaitShown("until + is pressed"));
  EXPECT_EQ(database_.Value("SELECT throttle->>'ratio' FROM pgalter.control"), "0.0");
  pty.Press("r");
  ASSERT_TRUE(pty.AwaitShown("in the background, and goes on"));
  pty.Press("y");
  ASSERT_TRUE(pty.AwaitShown("running, ")) << Whole(pty.Frame());
  LetGo();
  // Its end is told where it stays.
  EXPECT_EQ(pty.Wait(), 0);
  ExpectRestored(pty);
  EXPECT_THAT(pty.said().substr(pty.said().rfind(kOut)), HasSubstr(RunId() + " done"));
  ExpectRight();
}

TEST_F(Screen, FitsWhateverSizeTheTerminalHas) {
  HeldRun();
  Pty pty(PGALTER_BINARY, Watch(), Term(), 120, 50);
  ASSERT_TRUE(pty.AwaitShown("q leave"));
  for (const auto& [columns, rows] : {std::pair{40, 10}, {20, 3}, {5, 1}, {1, 1}, {80, 24}}) {
    pty.Forget();
    pty.Resize(columns, rows);
    const auto fits = [&, c = columns, r = rows](const std::string&) {
      const auto frame = pty.Frame();
      bool all = !frame.empty() && frame.size() <= static_cast<std::size_t>(r);
      for (const std::string& line : frame) all = all && Width(line) <= static_cast<std::size_t>(c);
      return all;
    };
    EXPECT_TRUE(pty.Await(fits, std::chrono::seconds(10)))
        << columns << "x" << rows << " and not " << pty.Frame().size() << " lines\n"
        << Whole(pty.Frame());
  }
  EXPECT_TRUE(pty.AwaitShown("q leave"));
  pty.Press("q");
  EXPECT_EQ(pty.Wait(), 0);
  EndRun();
}

TEST_F(Screen, TheTerminalIsAsBeforeWhateverSignalEndsIt) {
  HeldRun();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGSEGV, SIGABRT, SIGQUIT}) {
    Pty pty(PGALTER_BINARY, Watch(), Term());
    ASSERT_TRUE(pty.AwaitShown("q leave"));
    EXPECT_FALSE(pty.IsAsBefore()) << "keys as they are pressed";
    if (signal == SIGINT)
      pty.Press("\x03");
    else
      pty.Signal(signal);
    EXPECT_EQ(pty.Wait(), 128 + signal);
    ExpectRestored(pty);
  }
  EXPECT_EQ(StateOfRun(), "running");
  EndRun();
}

TEST_F(Screen, StandsAsideForTheShellAndComesBack) {
  HeldRun();
  Pty pty(PGALTER_BINARY, Watch(), Term());
  ASSERT_TRUE(pty.AwaitShown("q leave"));
  pty.Press("\x1a");
  ASSERT_TRUE(pty.AwaitStopped());
  EXPECT_TRUE(pty.Await([](const std::string& said) { return said.find(kOut) != said.npos; }));
  EXPECT_TRUE(pty.IsAsBefore());
  pty.Forget();
  pty.Signal(SIGCONT);
  EXPECT_TRUE(pty.AwaitShown("q leave"));
  EXPECT_THAT(pty.said(), HasSubstr(kIn));
  pty.Press("q");
  EXPECT_EQ(pty.Wait(), 0);
  ExpectRestored(pty);
  EndRun();
}

TEST_F(Screen, ColoursAreOnlyForThoseWhoWantThem) {
  HeldRun();
  const std::string warning = "\x1b[3";
  Pty coloured(PGALTER_BINARY, Watch(), Term());
  ASSERT_TRUE(coloured.AwaitShown("q leave"));
  EXPECT_THAT(coloured.said(), HasSubstr(warning));
  for (const auto& [words, environment] :
       {std::pair{Watch(), Term({"NO_COLOR=1"})}, {Watch({"--no-color"}), Term()}}) {
    Pty plain(PGALTER_BINARY, words, environment);
    ASSERT_TRUE(plain.AwaitShown("q leave"));
    EXPECT_THAT(plain.said(), Not(HasSubstr(warning)));
    EXPECT_THAT(plain.said(), HasSubstr("of the time"));
  }
  EndRun();
}

TEST_F(Screen, WhereItCannotBeThereAreLines) {
  HeldRun();
  const Words lines = Watch({"--output", "lines"});
  for (const auto& [words, environment] :
       {std::pair{Watch(), Words{"TERM=dumb"}}, {Watch(), Words{"TERM="}}, {lines, Term()}}) {
    Pty pty(PGALTER_BINARY, words, environment);
    EXPECT_TRUE(
        pty.Await([](const std::string& said) { return said.find("backfill") != said.npos; }));
    EXPECT_THAT(pty.said(), Not(HasSubstr(kIn)));
    EXPECT_THAT(pty.said(), Not(HasSubstr("q leave")));
    if (environment == Words{"TERM=dumb"}) {
      EXPECT_THAT(pty.said(), Not(HasSubstr("\x1b")));
    }
  }
  Program piped(PGALTER_BINARY, Watch());
  EXPECT_TRUE(Within(kLimit, [&] { return !piped.SoFar().err.empty(); }));
  EXPECT_THAT(piped.SoFar().err + piped.SoFar().out, Not(HasSubstr("\x1b")));
  EndRun();
}

TEST_F(Screen, WhoWaitsForWhomIsShownAndKept) {
  HeldRun();
  Pty pty(PGALTER_BINARY, Watch(), Term());
  ASSERT_TRUE(pty.AwaitShown("nobody waits for a lock"));
  // A row of the chunk that comes next is held; and somebody waits behind a session of the run's.
  Session holder = database_.Connect();
  holder.Exec(fmt::format("SET application_name = 'pgalter/{}'; BEGIN; LOCK TABLE audit", RunId()));
  Session waiter = database_.Connect();
  waiter.Send("SELECT count(*) FROM audit WHERE total = 4711");
  database_.AwaitLockWait(waiter.backend_pid());
  ASSERT_TRUE(pty.AwaitShown(fmt::format("pid {}", waiter.backend_pid())));
  EXPECT_THAT(Whole(pty.Frame()), HasSubstr("public.audit"));
  EXPECT_THAT(pty.said(), Not(HasSubstr("4711")));
  AwaitBeats(3);
  holder.Exec("ROLLBACK");
  waiter.Wait();
  ASSERT_TRUE(pty.AwaitShown("nobody waits for a lock"));
  database_.AwaitValue("SELECT count(*) FROM pgalter.lock_episode", "1", kLimit);
  const Ran kept = Run({"locks", "--history", RunId()});
  EXPECT_EQ(kept.code, 0) << kept.err;
  EXPECT_THAT(kept.out, HasSubstr("step backfill, 1 waiting at most"));
  EXPECT_THAT(kept.out, HasSubstr(fmt::format("pid {}", waiter.backend_pid())));
  EXPECT_THAT(kept.out, HasSubstr("public.audit"));
  EXPECT_THAT(kept.out, Not(HasSubstr("4711")));
  EXPECT_EQ(Run({"locks", "items", "--history", RunId()}).code, 2);
  pty.Press("q");
  EXPECT_EQ(pty.Wait(), 0);
  EndRun();
}

TEST_F(Screen, ALostConnectionIsSaidAndMadeAgain) {
  HeldRun();
  Pty pty(PGALTER_BINARY, Watch(), Term());
  ASSERT_TRUE(pty.AwaitShown("q leave"));
  const std::string own =
      "pid <> pg_backend_pid() AND datname = current_database() AND application_name = 'pgalter'";
  database_.AwaitValue("SELECT count(*) > 0 FROM pg_stat_activity WHERE " + own, "t", kLimit);
  database_.Sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " + own);
  EXPECT_TRUE(pty.Await([](const std::string& said) { return said.find("as of ") != said.npos; }));
  EXPECT_TRUE(pty.Await(
      [&](const std::string&) { return Whole(pty.Frame()).find("as of ") == std::string::npos; }));
  pty.Press("q");
  EXPECT_EQ(pty.Wait(), 0);
  EndRun();
}

}  // namespace
}  // namespace pgalter::test
