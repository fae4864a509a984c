// What the machine of a runner adds to a run by pgalter.toml: hooks, webhooks, signals and abort
// rules of its own; and the windows of the database's policy.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// Answers each request with the next status, the last one for ever, and keeps what it was asked.
class Receiver {
 public:
  explicit Receiver(std::vector<int> statuses) : statuses_(std::move(statuses)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no port");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~Receiver() {
    ended_ = true;
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/here", port_); }
  [[nodiscard]] std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  void SetBody(std::string body) {
    const std::lock_guard lock(mutex_);
    body_ = std::move(body);
  }

 private:
  void Serve() {
    while (!ended_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 50) != 1) continue;
      const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer >= 0) Answer(peer);
      ::close(peer);
    }
  }
  void Answer(int peer) {
    std::string text;
    char buffer[4096];
    for (;;) {
      const auto head = text.find("\r\n\r\n");
      if (head != std::string::npos) {
        const auto at = text.find("Content-Length: ");
        const std::size_t body = at < head ? std::stoul(text.substr(at + 16)) : 0;
        if (text.size() >= head + 4 + body) break;
      }
      const ssize_t got = ::read(peer, buffer, sizeof buffer);
      if (got <= 0) return;
      text.append(buffer, static_cast<std::size_t>(got));
    }
    const std::lock_guard lock(mutex_);
    const int status = statuses_.at(std::min(requests_.size(), statuses_.size() - 1));
    requests_.push_back(text);
    const std::string answer =
        fmt::format("HTTP/1.1 {} Said\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", status,
                    body_.size(), body_);
    static_cast<void>(!::write(peer, answer.data(), answer.size()));
  }

  std::vector<int> statuses_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ended_ = false;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::string body_ = "1";
  std::thread thread_;
};

class Outside : public RebuildWorld {
 protected:
  Outside() {
    std::string name = (fs::temp_directory_path() / "pgalter-outside-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder");
    folder_ = name;
    fs::create_directory(folder_ / "hooks");
  }
  ~Outside() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) const {
    // In one go: somebody may be reading it.
    std::ofstream(folder_ / (name + ".new")) << text;
    fs::rename(folder_ / (name + ".new"), folder_ / name);
  }
  void Hook(const std::string& event, const std::string& script) const {
    Write("hooks/" + event, "#!/bin/sh\n" + script + "\n");
    fs::permissions(folder_ / "hooks" / event, fs::perms::owner_all);
  }
  [[nodiscard]] std::string Read(const std::string& name) const {
    std::ifstream stream(folder_ / name);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  [[nodiscard]] Words With(Words words) const {
    words.insert(words.end(), {"--config", (folder_ / "pgalter.toml").string()});
    return words;
  }
  // A probe that says what is in the file.
  [[nodiscard]] std::string Cat(const std::string& name) const {
    return fmt::format("command = [\"cat\", \"{}\"]\nevery = \"100ms\"\n",
                       (folder_ / name).string());
  }
  void AwaitProgress(const std::string& condition) const {
    database_.AwaitValue(
        fmt::format("SELECT COALESCE(bool_or({}), false) FROM pgalter.run,"
                    " jsonb_to_record(progress) AS p"
                    " (throttle_ratio float8, throttle_reason text, note text, eta_high_s float8)",
                    condition),
        "t", kLimit);
  }
  [[nodiscard]] std::string Codes(const std::string& kind, const std::string& event) const {
    return database_.Value(fmt::format(
        "SELECT string_agg(DISTINCT code::text, ' ' ORDER BY code::text) FROM pgalter.event"
        " WHERE kind = '{}' AND event = '{}'",
        kind, event));
  }

  void BreakRule(const std::string& action) {
    MakeItems();
    Write("p95", "40");
    Write("pgalter.toml", fmt::format("[[abort]]\nname = \"p95\"\nabove = \"baseline + 50 %\"\n"
                                      "baseline = \"500ms\"\naction = \"{}\"\n",
                                      action) +
                              Cat("p95"));
    Words words = With(Backfill());
    words.insert(words.end(), {"--throttle", "ratio=0.005"});
    Program program = Start(words);
    AwaitWindows(1);
    Write("p95", "60");  // the limit itself
    AwaitBeats(2);
    EXPECT_EQ(StateOfRun(), "running");
    Write("p95", "61");
    const Ran ran = program.Wait(kLimit);
    EXPECT_EQ(ran.code, 6) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("abort rule p95: 61 is above 60 (baseline 40)"));
    EXPECT_THAT(database_.Value("SELECT said FROM pgalter.event WHERE kind = 'rule'"),
                HasSubstr("61 is above 60"));
  }

  fs::path folder_;
};

TEST_F(Outside, AHookHoldsACutOverAndIsToldTheRest) {
  MakeRebuilt(2'000);
  Write("pgalter.toml", "[hooks]\ndirectory = \"hooks\"\n");
  Hook("before-cutover",
       fmt::format("cd '{}'; cat > asked.json; env > asked.env; test -e allowed && exit 0; echo "
                   "'not yet' >&2; exit 3",
                   folder_.string()));
  Hook("done", fmt::format("cat > '{}/done.json'; exit 7", folder_.string()));
  ASSERT_EQ(Run({"init"}).code, 0);
  Program program = Start(With(Rebuild()), {"PGPASSWORD=geheim"});
  AwaitProgress("note LIKE '%hook before-cutover: exit code 3: not yet%'");
  EXPECT_THAT(Read("asked.json"), HasSubstr("\"event\":\"before-cutover\""));
  EXPECT_THAT(Read("asked.json"), HasSubstr("items"));
  EXPECT_THAT(Read("asked.env"), HasSubstr("PGALTER_EVENT=before-cutover"));
  EXPECT_THAT(Read("asked.env"), Not(HasSubstr("geheim")));
  EXPECT_EQ(database_.Value("SELECT data_type FROM information_schema.columns WHERE table_schema ="
                            " 'public' AND table_name = 'items' AND column_name = 'a'"),
            "integer")
      << "it was swapped against the veto";
  Write("allowed", "");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Codes("hook", "before-cutover"), "0 3");
  EXPECT_EQ(Codes("hook", "done"), "7") << "who is only told holds nothing";
  EXPECT_THAT(Read("done.json"), HasSubstr("\"event\":\"done\""));
}

TEST_F(Outside, AHookThatHangsIsEndedWithAllThatItStarted) {
  MakeItems(500);
  Write("pgalter.toml", "[hooks]\ndirectory = \"hooks\"\ntimeout = \"300ms\"\n");
  Hook("before-step", fmt::format("test -e '{0}/seen' && exit 0; touch '{0}/seen'; sleep 600 & "
                                  "echo $! > '{0}/child'; wait",
                                  folder_.string()));
  const Ran ran = Run(With(Backfill()));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Codes("hook", "before-step"), "0 137");
  const std::string child = Read("child");
  ASSERT_FALSE(child.empty());
  EXPECT_TRUE(Within(std::chrono::seconds(5), [&] {
    std::ifstream stat("/proc/" + std::to_string(std::stoi(child)) + "/stat");
    std::string line;
    return !std::getline(stat, line) || line.find(") Z") != std::string::npos;
  }));
}

TEST_F(Outside, AHookIsWaitedForByARunThatHasEndedMeanwhile) {
  MakeItems(500);
  Write("pgalter.toml", "[hooks]\ndirectory = \"hooks\"\n");
  Hook("started", fmt::format("cd '{}'; touch begun; until test -e ended; do sleep 0.02; done;"
                              " echo told > told",
                              folder_.string()));
  Program program = Start(With(Backfill()));
  ASSERT_TRUE(Within(kLimit, [&] { return fs::exists(folder_ / "begun"); }));
  database_.AwaitValue("SELECT state FROM pgalter.run", "done", kLimit);
  Write("ended", "");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Read("told"), "told\n") << "it was killed when the run had ended";
  EXPECT_EQ(Codes("hook", "started"), "0");
}

TEST_F(Outside, AHookThatOthersCanWriteIsNotRun) {
  MakeItems(500);
  Write("pgalter.toml", "[hooks]\ndirectory = \"hooks\"\n");
  Hook("done", fmt::format("touch '{}/ran'", folder_.string()));
  fs::permissions(folder_ / "hooks" / "done", fs::perms::others_write, fs::perm_options::add);
  EXPECT_EQ(Run(With(Backfill())).code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "ran"));
  EXPECT_EQ(database_.Value("SELECT said FROM pgalter.event WHERE event = 'done'"),
            "can be written by everybody");
}

TEST_F(Outside, AWebhookIsSignedAndTriedAgain) {
  MakeItems(500);
  Receiver receiver({503, 200});
  Write("pgalter.toml",
        "[[webhook]]\nurl = \"env:HOOK_URL\"\nsecret = \"env:HOOK_SECRET\"\nevents = [\"done\"]\n"
        "[[webhook]]\nurl = \"env:HOOK_URL\"\ntemplate = \"slack\"\nevents = [\"done\"]\n");
  const std::string log = (folder_ / "log").string();
  Words words = With(Backfill());
  words.insert(words.end(), {"--log-file", log});
  const Ran ran = Run(words, {"HOOK_URL=" + receiver.url() + "?key=geheim", "HOOK_SECRET=key"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto requests = receiver.requests();
  ASSERT_EQ(requests.size(), 3U) << "twice the first, once the second";
  EXPECT_THAT(requests[0], HasSubstr("POST /here?key=geheim"));
  EXPECT_THAT(requests[1], ContainsRegex("X-Pgalter-Signature: sha256=[0-9a-f]{64}"));
  EXPECT_THAT(requests[1], HasSubstr("\"event\":\"done\""));
  EXPECT_THAT(requests[2], HasSubstr("{\"text\":\"pgalter backfill of"));
  EXPECT_THAT(requests[2], Not(HasSubstr("Signature")));
  EXPECT_EQ(Codes("webhook", "done"), "200");
  EXPECT_THAT(Read("log") + ran.err + ran.out, Not(HasSubstr("geheim")));
}

TEST_F(Outside, AWebhookThatNobodyAnswersFailsNoRun) {
  MakeItems(500);
  Write("pgalter.toml", "[[webhook]]\nurl = \"http://127.0.0.1:1/geheim\"\nevents = [\"done\"]\n");
  EXPECT_EQ(Run(With(Backfill())).code, 0);
  const std::string said = database_.Value("SELECT said FROM pgalter.event WHERE event = 'done'");
  EXPECT_THAT(said, HasSubstr("curl: "));
  EXPECT_THAT(said, Not(HasSubstr("geheim")));
}

TEST_F(Outside, ASignalOfOnesOwnStopsAndLetsGo) {
  MakeItems();
  Receiver receiver({200});
  receiver.SetBody("{\"data\":{\"depth\":\"5\"}}");
  Write("depth", "5");
  Write("pgalter.toml",
        "[[signal]]\nname = \"by-command\"\nlimit = 100\n" + Cat("depth") +
            fmt::format("[[signal]]\nname = \"by-http\"\nlimit = 100\nhttp = \"{}\"\n"
                        "json = \"/data/depth\"\nevery = \"100ms\"\n",
                        receiver.url()) +
            "[[signal]]\nname = \"by-sql\"\nlimit = 100\nevery = \"100ms\"\n"
            "sql = \"SELECT depth FROM jobs\"\n");
  database_.Sql("CREATE TABLE jobs AS SELECT 5 AS depth");
  Words words = With(Backfill());
  words.insert(words.end(), {"--throttle", "ratio=0.01"});
  Program program = Start(words);
  AwaitWindows(1);
  Write("depth", "100");
  AwaitProgress("throttle_ratio = 0 AND throttle_reason = 'by-command 100 of 100'");
  Write("depth", "5");
  AwaitProgress("throttle_ratio > 0");
  receiver.SetBody("{\"data\":{\"depth\":250}}");
  AwaitProgress("throttle_ratio = 0 AND throttle_reason = 'by-http 250 of 100'");
  receiver.SetBody("{\"data\":{\"depth\":5}}");
  AwaitProgress("throttle_ratio > 0");
  database_.Sql("UPDATE jobs SET depth = 300");
  AwaitProgress("throttle_ratio = 0 AND throttle_reason = 'by-sql 300 of 100'");
  database_.Sql("UPDATE jobs SET depth = 1");
  LetGo();
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  EXPECT_EQ(Undone(), 0);
}

TEST_F(Outside, AnAbortRuleAboveItsBaselinePauses) {
  BreakRule("pause");
  EXPECT_EQ(StateOfRun(), "paused");
  Write("p95", "1000");  // the baseline is measured anew
  LetGo();
  EXPECT_EQ(Run(With({"resume", RunId()})).code, 0);
  EXPECT_EQ(Undone(), 0);
}

TEST_F(Outside, ARuleComparesWithWhatTheCanaryHasMeasured) {
  MakeItems();
  Write("p95", "40");
  Write("pgalter.toml",
        "[[abort]]\nname = \"p95\"\nabove = \"canary + 50 %\"\naction = \"pause\"\n" + Cat("p95"));
  // Without a canary there is nothing to compare with.
  const Ran none = Run(With(Backfill()));
  EXPECT_EQ(none.code, 4) << none.err;
  EXPECT_THAT(none.err, HasSubstr("compares with the canary, and this run has none"));
  EXPECT_EQ(Undone(), kRows);
  ASSERT_EQ(Run({"abort", RunId(), "--yes"}).code, 0);

  Words words = With(Backfill());
  words.insert(words.end(), {"--canary", "5%"});
  const Ran canary = Run(words);
  EXPECT_EQ(canary.code, 0) << canary.err;
  EXPECT_EQ(database_.Value("SELECT said FROM pgalter.event WHERE event = 'canary'"), "40");
  AwaitNoRunner();
  // Another machine, where nobody has measured anything: what the canary left is what counts.
  Write("p95", "61");
  const Ran broken = Run(With({"resume", RunId(), "--gate", "canary"}));
  EXPECT_EQ(broken.code, 6) << broken.err;
  EXPECT_THAT(broken.err, HasSubstr("abort rule p95: 61 is above 60 (canary 40)"));
  AwaitNoRunner();
  Write("p95", "60");
  EXPECT_EQ(Run(With({"resume", RunId()})).code, 0);
  EXPECT_EQ(Undone(), 0);
}

TEST_F(Outside, ARuleWithANumberHoldsDuringTheCanary) {
  MakeItems();
  Write("p95", "70");
  Write("pgalter.toml", "[[abort]]\nname = \"p95\"\nabove = 60\naction = \"abort\"\n" + Cat("p95"));
  Words words = With(Backfill(Slowly()));
  words.insert(words.end(), {"--canary", "50%"});
  const Ran canary = Run(words);
  EXPECT_EQ(canary.code, 6) << canary.err;
  EXPECT_EQ(StateOfRun(), "aborted");
}

TEST_F(Outside, AnAbortRuleAborts) {
  BreakRule("abort");
  EXPECT_EQ(StateOfRun(), "aborted");
}

TEST_F(Outside, AnAbortRuleTakesBack) {
  BreakRule("revert");
  EXPECT_EQ(StateOfRun(), "reverted");
}

TEST_F(Outside, WhatCannotBeReadBeginsNothing) {
  MakeItems(500);
  Write("pgalter.toml", "[[abort]]\nname = \"p95\"\nabove = 5\naction = \"pause\"\n" + Cat("none"));
  const Ran ran = Run(With(Backfill()));
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("abort rule \"p95\" cannot be read: exit code 1: cat"));
  EXPECT_EQ(Undone(), 500);
  const std::string next = "pgalter resume " + RunId();
  EXPECT_THAT(ran.err, HasSubstr(next));
  EXPECT_EQ(ran.err.find(next), ran.err.rfind(next)) << "said twice: " << ran.err;
  Write("none", "1");
  EXPECT_EQ(Run(With({"resume", RunId()})).code, 0);
}

TEST_F(Outside, AFaultInTheFileIsSaidBeforeARunIsMade) {
  MakeItems(500);
  for (const auto& [text, what] :
       {std::pair{"[[signal]]\nname = \"a\"\nlimit = 5\n", "none or several ways"},
        std::pair{"[[signal]]\nname = \"a\"\nsql = \"SELECT 1\"\nlimits = 5\n",
                  "did you mean limit"},
        std::pair{"[[abort]]\nname = \"a\"\nsql = \"SELECT 1\"\nabove = \"much\"\n",
                  "not understood"},
        std::pair{"[[abort]]\nname = \"a\"\nsql = \"SELECT 1\"\nabove = 1\naction = \"stop\"\n",
                  "one of: pause, abort, revert"},
        std::pair{"[[abort]]\nname = \"a\"\nsql = \"SELECT 1\"\nabove = \"baseline * 2\"\n"
                  "action = \"pause\"\n",
                  "needs baseline"},
        std::pair{"[[webhook]]\nurl = \"file:///etc/passwd\"\n", "no address of http"},
        std::pair{"[[webhook]]\nurl = \"env:NOT_SET_HERE\"\n", "NOT_SET_HERE is not set"},
        std::pair{"[[webhook]]\nurl = \"http://a/\"\nevents = [\"finished\"]\n",
                  "no event \"finished\" that a webhook is told"},
        std::pair{"[[webhook]]\nurl = \"http://a/\"\nevents = [\"before-cutover\"]\n",
                  "a hook is asked"},
        std::pair{"[hooks]\ndirectory = \"nowhere\"\n", "there is no directory"},
        std::pair{"[signal]\nname = \"a\"\n", "[[signal]]"}}) {
    Write("pgalter.toml", text);
    const Ran ran = Run(With(Backfill()));
    EXPECT_EQ(ran.code, 2) << text << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(what));
  }
  EXPECT_EQ(database_.Value("SELECT to_regclass('pgalter.run') IS NULL"), "t");
}

TEST_F(Outside, AWindowThatClosesHoldsTheRunUntilTheNextOne) {
  MakeItems();
  ASSERT_EQ(Run({"init"}).code, 0);
  const auto set_window = [this](const std::string& from, const std::string& to) {
    database_.Sql(fmt::format(
        "SELECT pgalter.set_policy(jsonb_build_object('windows', jsonb_build_array("
        "jsonb_build_object('tz', 'UTC', 'from', to_char((now() AT TIME ZONE 'UTC') + '{}',"
        " 'HH24:MI:SS'), 'to', to_char((now() AT TIME ZONE 'UTC') + '{}', 'HH24:MI:SS')))))",
        from, to));
  };
  set_window("-1 hour", "1 hour");
  Words words = Backfill();
  words.insert(words.end(), {"--throttle", "ratio=0.005"});
  Program program = Start(words);
  AwaitWindows(1);
  set_window("2 hours", "3 hours");
  AwaitProgress(
      "throttle_ratio = 0 AND eta_high_s = -1 AND throttle_reason ~"
      " 'no window is open; the next opens at \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\dZ'");
  AwaitBeats(1);
  const long undone = Undone();
  AwaitBeats(2);
  EXPECT_EQ(Undone(), undone);
  set_window("-1 hour", "1 hour");
  AwaitProgress("throttle_ratio > 0");
  LetGo();
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  EXPECT_EQ(Undone(), 0);
}

TEST_F(Outside, AWindowThatIsSetWhileARunWorksHoldsItToo) {
  MakeItems();
  Program program = Start(Backfill(Slowly()));
  AwaitWindows(1);
  // Of its first look nothing is left: there was no policy.
  AwaitBeats(3);
  database_.Sql(
      "SELECT pgalter.set_policy('{\"blackouts\": [{\"from\": \"00:00\", \"to\": \"00:00\","
      " \"tz\": \"UTC\"}]}')");
  AwaitProgress("throttle_ratio = 0 AND throttle_reason LIKE '%no window is open%'");
  database_.Sql("SELECT pgalter.drop_policy()");
  AwaitProgress("throttle_ratio > 0");
  LetGo();
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  EXPECT_EQ(Undone(), 0);
}

TEST_F(Outside, ARoleThatCannotSeeTheWindowsBeginsNothing) {
  MakeItems(500);
  ASSERT_EQ(Run({"init"}).code, 0);
  database_.Sql(
      "DO $$ BEGIN IF to_regrole('windows_poor') IS NULL THEN CREATE ROLE windows_poor LOGIN;"
      " END IF; END $$;"
      "GRANT pg_monitor TO windows_poor; ALTER TABLE items OWNER TO windows_poor;"
      "GRANT ALL ON SCHEMA pgalter TO windows_poor;"
      "GRANT ALL ON ALL TABLES IN SCHEMA pgalter TO windows_poor;"
      "GRANT ALL ON ALL SEQUENCES IN SCHEMA pgalter TO windows_poor;"
      "REVOKE SELECT ON pgalter.policy FROM windows_poor");
  user_ = "windows_poor";
  const Ran hidden = Run(Backfill());
  EXPECT_EQ(hidden.code, 10) << hidden.err;
  EXPECT_THAT(hidden.err, HasSubstr("GRANT SELECT ON pgalter.policy"));
  EXPECT_EQ(Undone(), 500);
  database_.Sql("GRANT SELECT ON pgalter.policy TO windows_poor");
  AwaitNoRunner();
  const Ran seen = Run({"resume", RunId()});
  EXPECT_EQ(seen.code, 0) << seen.err;
  EXPECT_EQ(Undone(), 0);
}

TEST_F(Outside, NoStepBeginsWhileNoWindowIsOpen) {
  MakeItems(500);
  // One that was begun before there was a policy, and rests at its gate.
  const Ran begun = Run({"run", "--sql", "ALTER TABLE items RENAME COLUMN a TO renamed", "--yes"});
  ASSERT_EQ(begun.code, 0) << begun.err;
  database_.Sql(
      "SELECT pgalter.set_policy('{\"blackouts\": [{\"from\": \"00:00\", \"to\": \"00:00\","
      " \"tz\": \"UTC\"}]}')");
  Program program = Start({"resume", RunId(), "--through", "contract"});
  AwaitProgress("note LIKE 'step % does not begin: no window is open, and none opens%'");
  EXPECT_NE(database_.Value("SELECT count(*) FROM pgalter.step WHERE state = 'pending'"), "0");
  database_.Sql("SELECT pgalter.drop_policy()");
  EXPECT_EQ(program.Wait(kLimit).code, 0);
  EXPECT_EQ(StateOfRun(), "done");
}

}  // namespace
}  // namespace pgalter::test
