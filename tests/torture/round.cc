#include "tests/torture/round.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/fault/rebuild_points.h"
#include "tests/support/scratch_folder.h"

namespace pgalter::test {

namespace {

using namespace std::chrono_literals;

constexpr int kMostPrograms = 25;
constexpr int kInterrupted = 128 + SIGINT;  // before it listened

constexpr std::array kNames{"alter", "ordered", "into partitions", "out of partitions", "together"};

constexpr const char* kColumns =
    "id {}, a int NOT NULL, u int, pad text, big text, parent {}, kind int";
constexpr const char* kIndexes =
    "CREATE INDEX items_a ON items (a); CREATE INDEX items_parent ON items (parent);"
    "CREATE INDEX items_kind ON items (kind)";

}  // namespace

Round::Round(Arena& arena, unsigned seed) : arena_(arena), seed_(seed), dice_(seed) {
  Choose();
  if (crowd_.narrow) Tell("narrow");
}

void Round::Complain(const std::string& what) { problems_ += what + "\n"; }
void Round::Tell(const std::string& what) { story_ += " " + what; }

void Round::Choose() {
  kind_ = static_cast<Kind>(Pick(0, kKinds - 1));
  crowd_.key_type = std::array{"bigint", "bigint", "text", "uuid", "numeric"}.at(
      static_cast<std::size_t>(Pick(0, 4)));
  const bool partitioned = kind_ == Kind::kIntoPartitions || kind_ == Kind::kOutOfPartitions;
  crowd_.unique_key = !partitioned;
  crowd_.notes = !partitioned;
  crowd_.rows = Pick(1, 4) * 400;
  crowd_.users = Pick(2, 3);
  crowd_.truncates = OneIn(4);
  crowd_.predicts = !crowd_.truncates && !OneIn(3);
  crowd_.narrow = partitioned && !crowd_.predicts && OneIn(2);
  crowd_.merges = arena_.version() >= 15;
  waits_ = OneIn(4);
  standby_ = OneIn(20);
  if (kind_ == Kind::kTogether && OneIn(2)) {
    defined_ = true;
    parted_ = OneIn(2);
    crowd_.unique_key = !parted_;
    crowd_.notes = !parted_;
  }
  story_ = fmt::format("{}{}{} {}{}:", kNames.at(static_cast<std::size_t>(kind_)),
                       defined_ ? " by a file" : "", parted_ ? " into partitions" : "",
                       crowd_.key_type, crowd_.predicts ? "" : " meddled");
}

// Of 1 to 60 ranges, the outer ones open or with a DEFAULT, or of a hash.
std::string Round::Parts(const char* parent) {
  const int parts = std::array{1, 3, 5, 12, 60}.at(static_cast<std::size_t>(Pick(0, 4)));
  const bool hashed = !crowd_.narrow && OneIn(4);
  const int top = crowd_.narrow ? kTop : 1'000;
  std::string text =
      fmt::format(fmt::runtime(std::string("CREATE TABLE items (") + kColumns +
                               ", PRIMARY KEY (id, a), UNIQUE (u, a)) PARTITION BY "),
                  crowd_.key_type, parent) +
      (hashed ? "HASH (a);" : "RANGE (a);");
  for (int i = 0; i < parts; ++i) {
    if (hashed) {
      text += fmt::format(
          "CREATE TABLE items_p{} PARTITION OF items FOR VALUES WITH (MODULUS {}, REMAINDER {});",
          i, parts, i);
      continue;
    }
    text += fmt::format("CREATE TABLE items_p{} PARTITION OF items FOR VALUES FROM ({}) TO ({});",
                        i, top * i / parts, top * (i + 1) / parts);
  }
  if (!hashed && !crowd_.narrow) text += "CREATE TABLE items_rest PARTITION OF items DEFAULT;";
  return text + kIndexes;
}

std::string Round::Definitions() {
  std::string parents = "CREATE TABLE parents (id bigint PRIMARY KEY, v int NOT NULL DEFAULT 0)";
  if (OneIn(2)) {
    const int parts = Pick(1, 4);
    parents += " PARTITION BY HASH (id)";
    for (int i = 0; i < parts; ++i)
      parents += fmt::format(
          ";CREATE TABLE parents_{0} PARTITION OF parents FOR VALUES WITH (MODULUS {1}, REMAINDER "
          "{0})",
          i, parts);
  }
  if (parted_) return parents + ";" + Parts("bigint");
  return fmt::format(fmt::runtime(std::string("CREATE TABLE items (") + kColumns +
                                  ", PRIMARY KEY (id), UNIQUE (u));"),
                     crowd_.key_type, "bigint") +
         kIndexes + ";" + parents;
}

Words Round::Order() {
  Words words{"rebuild", "items"};
  const auto add = [&words](const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
  };
  switch (kind_) {
    case Kind::kAlter:
      add({"--alter", "ALTER a TYPE bigint"});
      break;
    case Kind::kOrdered:
      add({"--alter", "ALTER a TYPE bigint", "--order-by", "a"});
      break;
    case Kind::kIntoPartitions:
      add({"--definition", SharedFolder().File(Parts()), "--allow-weaker-keys"});
      break;
    case Kind::kOutOfPartitions:
      add({"--definition",
           SharedFolder().File(
               fmt::format(fmt::runtime(std::string("CREATE TABLE items (") + kColumns +
                                        ", PRIMARY KEY (id, a), UNIQUE (u, a));"),
                           crowd_.key_type, "int") +
               kIndexes)});
      break;
    case Kind::kTogether:
      if (defined_) {
        add({"parents", "--definition", SharedFolder().File(Definitions())});
        if (parted_) add({"--allow-weaker-keys"});
        break;
      }
      add({"parents", "--alter", "parents: ALTER id TYPE bigint", "--alter",
           "items: ALTER parent TYPE bigint"});
      break;
  }
  add({"--yes", "--chunk-time", fmt::format("{}ms", Pick(5, 12))});
  if (kind_ != Kind::kOrdered && OneIn(2)) add({"--workers", "2"});
  if (waits_) add({"--cutover", "wait"});
  return words;
}

void Round::Prepare() {
  arena_.Open(seed_);
  arena_.Sql(SchemaOf(crowd_));
  arena_.Sql("ANALYZE");
  if (standby_) arena_.MakeStandby();
  if (kind_ != Kind::kOutOfPartitions) return;
  for (const Words& words : {Words{"rebuild", "items", "--definition", SharedFolder().File(Parts()),
                                   "--allow-weaker-keys", "--yes"},
                             Words{"finish", "", "--yes"}}) {
    Words filled = words;
    if (filled[1].empty()) filled[1] = RunId();
    const Ran ran = arena_.Run(filled);
    if (ran.code != 0) Complain("preparing: " + ran.err);
  }
}

long Round::Runs() const {
  if (arena_.Value("SELECT to_regclass('pgalter.run') IS NULL") == "t") return 0;
  return arena_.Number("SELECT count(*) FROM pgalter.run");
}

std::string Round::RunId() const {
  return arena_.Value("SELECT run FROM pgalter.run ORDER BY created_at DESC LIMIT 1");
}

std::string Round::State() const {
  return arena_.Value("SELECT state FROM pgalter.run ORDER BY created_at DESC LIMIT 1");
}

void Round::LetSwap() {
  if (!waits_ || Runs() == 0 || State() != "waiting") return;
  if (OneIn(3)) {
    const Ran ran = arena_.Run({"verify", RunId()});
    if (ran.code != 0 && ran.code != 4 && ran.code != 9 && !IsMisfit(ran))
      Complain(fmt::format("verify before the cut-over: {} {}", ran.code, ran.err));
  }
  (void)arena_.Run({"cutover", RunId()});
  waits_ = false;
}

std::string Round::FailPoint() {
  const auto one_of = [this](const auto& points) -> std::string {
    return points.at(static_cast<std::size_t>(Pick(0, static_cast<int>(points.size()) - 1)));
  };
  if (back_) return one_of(kRevertPoints);
  if (OneIn(2)) return one_of(kRebuildPoints);
  if (kind_ == Kind::kTogether) return one_of(kSeveralPoints);
  return one_of(kPartitionPoints);
}

Ran Round::Attend(Program& program, const std::string& what,
                  const std::function<void()>& meanwhile) {
  const auto until = std::chrono::steady_clock::now() + 300s;
  while (program.running()) {
    meanwhile();
    LetSwap();
    if (std::chrono::steady_clock::now() > until) {
      Complain(fmt::format("{} does not end: {}", what, program.SoFar().err));
      program.Signal(SIGKILL);
    }
    std::this_thread::sleep_for(10ms);
  }
  return program.Wait();
}

Ran Round::OneProgram(const Words& words) {
  Words environment;
  if (disturbances_ > 0 && OneIn(3)) {
    --disturbances_;
    environment.push_back("PGALTER_FAIL_POINT=" + FailPoint());
    Tell("point");
  }
  Program program = arena_.Start(words, environment);
  return Attend(program, words.front(), [&] {
    if (disturbances_ == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(Pick(0, 900)));  // the moment under test
    --disturbances_;
    if (program.running()) Disturb(program);
  });
}

bool Round::IsFine(const Ran& ran) {
  // The last one: somebody's DDL kept it from reading how large the table is, at its very start.
  const bool taken = ran.err.find("taken over") != std::string::npos ||
                     ran.err.find("extra-bytes cannot be read") != std::string::npos;
  return ran.code == 0 || ran.code == kKilled || ran.code == 5 || ran.code == 6 ||
         ran.code == kInterrupted || ran.code == 9 || taken;
}

bool Round::IsMisfit(const Ran& ran) const {
  return crowd_.narrow && ran.code == 1 &&
         ran.err.find("does not fit into the") != std::string::npos;
}

void Round::Carry(const Words& order, const std::string& goal) {
  back_ = goal == "reverted";
  const long before = Runs() - (back_ ? 1 : 0);
  Words words = order;
  for (int i = 0; i < kMostPrograms && problems_.empty(); ++i) {
    const Ran ran = OneProgram(words);
    arena_.AwaitNoRunner();
    const bool begun = Runs() > before;
    if (begun && State() == goal) return;
    if (IsMisfit(ran))
      Mend();
    else if (!IsFine(ran))
      Complain(fmt::format("{} ended with {}: {}", words.front(), ran.code, ran.err));
    words = order;
    if (begun && goal == "done") words = {"resume", RunId()};
  }
  if (problems_.empty()) Complain("it comes to no end");
}

void Round::Judge(Users& users) {
  users.Stop();
  writes_ = users.writes();
  problems_ += users.Complaints();
  const long different = arena_.Number(kDifferences);
  if (different != 0) Complain(fmt::format("{} rows are not what they should be", different));
  if (!problems_.empty()) return;
  if (State() != "reverted") {
    const Ran finished = arena_.Run({"finish", RunId(), "--yes"});
    if (finished.code != 0) Complain("finish: " + finished.err);
  }
  const std::string left = arena_.Value(
      "SELECT coalesce(string_agg(what, ', '), '') FROM ("
      "SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%' UNION ALL "
      "SELECT format('trigger %s of %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE tgname "
      "LIKE 'pgalter%' UNION ALL "
      "SELECT format('%s %s in the ledger', kind, name) FROM pgalter.artefact WHERE dropped_at IS "
      "NULL UNION ALL "
      // Before PostgreSQL 18, VALIDATE leaves out those that a key to a partitioned table has for
      // its partitions.
      "SELECT format('constraint %s of %s, not valid', conname, conrelid::regclass) FROM "
      "pg_constraint f WHERE NOT convalidated AND NOT EXISTS (SELECT FROM pg_constraint w WHERE "
      "w.oid = f.conparentid AND w.conrelid = f.conrelid) UNION ALL "
      "SELECT format('index %s, not valid', indexrelid::regclass) FROM pg_index WHERE NOT "
      "indisvalid) l (what)");
  if (!left.empty()) Complain("left behind: " + left);
}

std::string Round::Play() {
  try {
    Prepare();
    Users users(arena_, crowd_, seed_);
    if (crowd_.narrow && OneIn(2)) Misfit();
    disturbances_ = Pick(0, 3);
    Carry(Order(), "done");
    if (problems_.empty()) {
      users.AwaitWrites(Pick(10, 60));
      if (OneIn(2)) Meddle();
      if (crowd_.narrow) Mend();
      const bool back = OneIn(2);
      if (!back || OneIn(3)) {
        const Ran ran = arena_.Run({"verify", RunId()});
        // 4: somebody's DDL is still to be taken over.
        if (ran.code != 0 && ran.code != 4)
          Complain(fmt::format("verify: {} {}", ran.code, ran.err));
      }
      if (back && problems_.empty()) {
        Tell("back");
        if (crowd_.narrow) Misfit();
        disturbances_ = Pick(0, 2);
        Carry({"revert", RunId(), "--yes"}, "reverted");
      }
    }
    Judge(users);
  } catch (const std::exception& error) {
    Complain(error.what());
  }
  return problems_;
}

}  // namespace pgalter::test
