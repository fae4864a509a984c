// The pure parts of migrations: the grammar of our own format, versions, checksums, the manifest,
// what the directory and the database say of each other, and the plan of one migration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/formats/own_file.h"
#include "migrations/history/audit_chain.h"
#include "migrations/history/compare.h"
#include "migrations/history/compose.h"
#include "migrations/history/exclusion.h"
#include "migrations/history/manifest.h"
#include "migrations/history/new_name.h"
#include "migrations/history/sha256.h"

namespace pgalter::history {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// ---- SHA-256: the vectors of FIPS 180-4 and its lengths around a block

TEST(Sha256, KnowsTheStandardsVectors) {
  EXPECT_EQ(Sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PadsAtEachLengthAroundABlock) {
  EXPECT_EQ(Sha256(std::string(55, 'a')),
            "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  EXPECT_EQ(Sha256(std::string(56, 'a')),
            "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  EXPECT_EQ(Sha256(std::string(64, 'a')),
            "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

// ---- the grammar

std::vector<std::string> Problems(std::string_view text) {
  std::vector<std::string> problems;
  for (const formats::OwnProblem& problem : formats::ReadOwnFile(text).problems)
    problems.push_back(std::to_string(problem.line) + ": " + problem.what);
  return problems;
}

constexpr std::string_view kWhole = R"(-- pgalter: 1
-- title: a column
-- transaction: auto

-- pgalter:up
ALTER TABLE t ADD c int;
-- pgalter:backfill table=public.t set="c = 'it''s'" where='c IS NULL'
-- pgalter:gate app-deployed soak=7d reason="the new program is out"
-- pgalter:contract
ALTER TABLE t DROP d;
-- pgalter:verify
SELECT true;
-- pgalter:down
ALTER TABLE t DROP c;
-- pgalter:down-verify
SELECT true;
)";

TEST(OwnFile, ReadsEverySection) {
  const formats::OwnFile file = formats::ReadOwnFile(kWhole);
  EXPECT_THAT(file.problems, IsEmpty());
  EXPECT_EQ(file.Header("title"), "a column");
  ASSERT_THAT(file.sections, SizeIs(7));
  const formats::Section& backfill = file.sections[1];
  EXPECT_EQ(backfill.kind, formats::SectionKind::kBackfill);
  EXPECT_EQ(backfill.line, 7);
  EXPECT_EQ(backfill.Find("set"), "c = 'it''s'");
  EXPECT_EQ(backfill.Find("where"), "c IS NULL");
  EXPECT_EQ(file.sections[2].Find(""), "app-deployed");
}

TEST(OwnFile, ADoubledQuoteIsOne) {
  const auto file = formats::ReadOwnFile("-- pgalter:backfill table=t set='c = ''x'''\n");
  EXPECT_EQ(file.sections.at(0).Find("set"), "c = 'x'");
}

TEST(OwnFile, LineEndsAndAByteOrderMarkChangeNothing) {
  std::string text = "\xEF\xBB\xBF";
  for (const char c : kWhole) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_THAT(Problems(text), IsEmpty());
  EXPECT_EQ(formats::ReadOwnFile(text).Header("title"), "a column");
  EXPECT_THAT(formats::ReadOwnFile(text).sections, SizeIs(7));
}

struct Wrong {
  std::string_view text;
  std::string_view problem;
};

TEST(OwnFile, SaysWhatIsWrongAndWhere) {
  for (const auto& [text, problem] : {
           Wrong{"-- pgalter:upp\n", "1: \"-- pgalter:upp\" is not known"},
           Wrong{"-- pgalter: 2\n", "1: version \"2\""},
           Wrong{"-- pgalter: 1\n-- tittle: x\n", "2: \"tittle\" is no key"},
           Wrong{"-- pgalter: 1\n-- title:\n", "2: \"title\" has no value"},
           Wrong{"-- pgalter: 1\n-- title: a\n-- title: b\n", "3: \"title\" is there twice"},
           Wrong{"-- pgalter: 1\n-- transaction: sinlge\n", "2: \"sinlge\" is no transaction"},
           Wrong{"-- pgalter:up\n-- pgalter:gate\n", "2: a gate has a name"},
           Wrong{"-- pgalter:gate a\nSELECT 1;\n", "1: statements stand below gate"},
           Wrong{"-- pgalter:gate a soak=soon\n", "1: \"soon\" is no time"},
           Wrong{"-- pgalter:backfill table=t\n", "1: backfill needs set="},
           Wrong{"-- pgalter:backfill table=t set=\"c = 1\n", "1: a quote has no end"},
           Wrong{"-- pgalter:backfill tabel=t set=c\n", "1: backfill does not take \"tabel\""},
           Wrong{"-- pgalter:up now\n", "1: up does not take \"now\""},
           Wrong{"-- pgalter:verify\n-- nothing\n", "1: verify has no statement"},
           Wrong{"-- pgalter:down\nSELECT 1;\n-- pgalter:up\nSELECT 1;\n",
                 "3: up stands behind verify or down"},
           Wrong{"-- pgalter:down\nSELECT 1;\n-- pgalter:down\nSELECT 1;\n",
                 "3: down is there twice"},
           Wrong{"-- pgalter: 1\n-- irreversible: why\n-- pgalter:down\nSELECT 1;\n",
                 "1: the header says irreversible"},
           Wrong{"-- pgalter: 1\n-- transaction: single\n-- pgalter:gate a\n",
                 "3: the header says transaction: single"},
       }) {
    EXPECT_THAT(Problems(text), Contains(HasSubstr(std::string(problem)))) << text;
  }
}

TEST(OwnFile, ACommentWithoutTheVersionLineMaySayAnything) {
  EXPECT_THAT(Problems("-- note: by hand\n-- pgalter:up\nSELECT 1;\n"), IsEmpty());
  EXPECT_THAT(Problems("-- pgalter:ignore drop-column reason=\"known\"\nSELECT 1;\n"), IsEmpty());
}

TEST(ParseSoak, KnowsItsUnits) {
  EXPECT_EQ(formats::ParseSoak("7d"), 604800);
  EXPECT_EQ(formats::ParseSoak("90min"), 5400);
  for (const char* wrong : {"", "d", "7", "-1d", "7 d", "1w", "99999999999999999999d"})
    EXPECT_EQ(formats::ParseSoak(wrong), std::nullopt) << wrong;
}

// ---- versions

TEST(VersionOf, IsTheFormatsOwn) {
  EXPECT_EQ(VersionOf("pgalter", "20260115123456_add_x.sql"), "20260115123456");
  EXPECT_EQ(VersionOf("plain", "003_add_x.sql"), "003");
  EXPECT_EQ(VersionOf("plain", "rollback/003_rollback.sql"), "003");
  EXPECT_EQ(VersionOf("plain", "2026-01-15_add_x.sql"), "2026-01-15");
  EXPECT_EQ(VersionOf("plain", "20260115_1530_abc.sql"), "20260115_1530");
  EXPECT_EQ(VersionOf("plain", "001_2fa.sql"), "001");
  EXPECT_EQ(VersionOf("plain", "create.sql"), "create");
  EXPECT_EQ(VersionOf("golang-migrate", "12_x.down.sql"), "12");
  EXPECT_EQ(VersionOf("flyway", "V1.2__add_x.sql"), "1.2");
  EXPECT_EQ(VersionOf("flyway", "sql/U1.2__add_x.sql"), "1.2");
  EXPECT_EQ(VersionOf("prisma", "20260115_x/migration.sql"), "20260115_x");
  EXPECT_EQ(VersionOf("sqitch", "deploy/app/users.sql"), "app/users");
  EXPECT_EQ(VersionOf("sqitch", "revert/app/users.sql"), "app/users");
  EXPECT_EQ(TitleOf("flyway", "V1.2__add_x.sql"), "add x");
  EXPECT_EQ(TitleOf("plain", "003_add_x.sql"), "add x");
}

Migration At(std::string version, std::string statements = "SELECT 1;") {
  Migration migration;
  migration.version = std::move(version);
  migration.file = migration.version + "_x.sql";
  migration.format = "pgalter";
  migration.up.text = std::move(statements);
  migration.sums = ChecksumsOf(migration.up.text + "-- " + migration.version,
                               migration.up.text + "-- " + migration.version, {});
  return migration;
}

TEST(NextVersion, IsBehindTheLastWhateverTheClockSays) {
  constexpr std::time_t kNow = 1767225600;  // 2026-01-01 00:00:00
  EXPECT_EQ(NextVersion({}, kNow), "20260101000000");
  EXPECT_EQ(NextVersion({At("20251231235959")}, kNow), "20260101000000");
  EXPECT_EQ(NextVersion({At("20260101000000")}, kNow), "20260101000001");
  EXPECT_EQ(NextVersion({At("20281231235959")}, kNow), "20290101000000");
  EXPECT_EQ(NextVersion({At("001"), At("009")}, kNow), "010");
  EXPECT_EQ(NextVersion({At("998"), At("999")}, kNow), "1000");
}

TEST(SlugOf, KeepsLettersAndDigits) {
  EXPECT_EQ(SlugOf("Add a column: x!"), "add_a_column_x");
  EXPECT_EQ(SlugOf(" -- "), "");
}

// ---- checksums and the manifest

TEST(Checksums, TellCommentsAndLineEndsFromStatements) {
  const Checksums plain = ChecksumsOf("SELECT 1;\n", "SELECT 1;\n", {});
  const Checksums crlf = ChecksumsOf("\xEF\xBB\xBFSELECT 1;\r\n", "\xEF\xBB\xBFSELECT 1;\r\n", {});
  EXPECT_NE(plain.bytes, crlf.bytes);
  EXPECT_EQ(plain.text, crlf.text);
  EXPECT_EQ(plain.statements, crlf.statements);
  const Checksums comment =
      ChecksumsOf("-- x\nSELECT /* y */ 1;\n", "-- x\nSELECT /* y */ 1;\n", {});
  EXPECT_NE(plain.text, comment.text);
  EXPECT_EQ(plain.statements, comment.statements);
  EXPECT_NE(plain.statements, ChecksumsOf("SELECT 2;\n", "SELECT 2;\n", {}).statements);
  EXPECT_NE(ChecksumsOf("", "SELECT 'a b';", {}).statements,
            ChecksumsOf("", "SELECT 'a  b';", {}).statements);
}

TEST(Checksums, AMarkOfTheFileCounts) {
  formats::Section gate;
  gate.kind = formats::SectionKind::kGate;
  EXPECT_NE(ChecksumsOf("", "SELECT 1", {}).statements,
            ChecksumsOf("", "SELECT 1", {gate}).statements);
}

std::vector<std::string> Mismatches(std::string_view text, const std::vector<Migration>& now) {
  std::vector<std::string> all;
  for (const Mismatch& mismatch : CheckManifest(text, now))
    all.push_back(mismatch.file + ": " + mismatch.what);
  return all;
}

TEST(Manifest, FindsWhatChanged) {
  const std::vector<Migration> then{At("1"), At("2"), At("3")};
  const std::string text = WriteManifest(then);
  EXPECT_THAT(Mismatches(text, then), IsEmpty());
  EXPECT_THAT(Mismatches(text, {At("1"), At("2", "SELECT 2;"), At("3")}),
              ElementsAre("2_x.sql: was edited since"));
  EXPECT_THAT(Mismatches(text, {At("1"), At("3")}),
              ElementsAre("2_x.sql: is in it, and not in the directory"));
  EXPECT_THAT(Mismatches(text, {At("1"), At("2"), At("3"), At("4")}),
              ElementsAre("4_x.sql: is not in it"));
  EXPECT_THAT(Mismatches(text, {At("2"), At("1"), At("3")}),
              ElementsAre(HasSubstr("another order")));
}

TEST(Manifest, HoldsToTheFormatThatTheFilesWereReadAs) {
  Migration one = At("1");
  one.format = "dbmate";
  const std::string text = WriteManifest({one});
  EXPECT_THAT(Mismatches(text, {one}), IsEmpty());
  one.format = "pgalter";
  EXPECT_THAT(Mismatches(text, {one}), ElementsAre(HasSubstr("format dbmate")));
  const std::string line = one.sums.text + "  " + one.file + "\n";
  EXPECT_THAT(Mismatches("chain " + Sha256(line) + "\n" + line, {one}), IsEmpty())
      << "one that was written before there was such a line";
}

TEST(Manifest, AMergedOneDoesNotFitItsFirstLine) {
  const std::vector<Migration> then{At("1"), At("2")};
  const std::string both = WriteManifest({At("1")}) +
                           WriteManifest(then).substr(
                               WriteManifest(then).rfind('\n', WriteManifest(then).size() - 2) + 1);
  EXPECT_THAT(Mismatches(both, then), ElementsAre(HasSubstr("first line does not fit")));
}

// ---- the audit log

std::vector<AuditEntry> Chain(int length) {
  std::vector<AuditEntry> chain;
  Anchor last = Beginning();
  for (int i = 1; i <= length; ++i) {
    AuditEntry entry;
    entry.seq = i;
    entry.at = "2026-01-01T00:00:00.000000Z";
    entry.db_user = "app";
    if (i % 2 == 0) entry.os_user = "me";
    entry.event = "migration.applied";
    entry.subject = std::to_string(i);
    entry.payload = "{}";
    entry.prev_hash = last.hash;
    entry.hash = HashOf(entry);
    last = {i, entry.hash};
    chain.push_back(entry);
  }
  return chain;
}

std::string BreakOf(const std::vector<AuditEntry>& entries, std::optional<Anchor> head,
                    std::optional<Anchor> anchor = {}) {
  ChainCheck check(std::move(anchor));
  for (const AuditEntry& entry : entries) check.Take(entry);
  const auto broken = check.Finish(head);
  return broken ? std::to_string(broken->seq) : "";
}

TEST(ChainCheck, FindsTheFirstEntryThatIsNotAsItWas) {
  const std::vector<AuditEntry> whole = Chain(5);
  const Anchor head{5, whole.back().hash};
  EXPECT_EQ(BreakOf(whole, head), "");
  EXPECT_EQ(BreakOf(whole, head, head), "");
  EXPECT_EQ(BreakOf({}, Beginning()), "");
  std::vector<AuditEntry> edited = whole;
  edited[2].payload = "{\"a\":1}";
  EXPECT_EQ(BreakOf(edited, head), "3");
  edited[2].hash = HashOf(edited[2]);
  EXPECT_EQ(BreakOf(edited, head), "4") << "written anew, but for the next";
  std::vector<AuditEntry> cut = whole;
  cut.erase(cut.begin() + 1);
  EXPECT_EQ(BreakOf(cut, head), "2");
  cut = whole;
  cut.pop_back();
  EXPECT_EQ(BreakOf(cut, head), "5");
  EXPECT_EQ(BreakOf(cut, Anchor{4, cut.back().hash}), "") << "with its head";
  EXPECT_EQ(BreakOf(cut, Anchor{4, cut.back().hash}, head), "5") << "but not with an anchor";
}

TEST(ChainCheck, AFieldCannotFlowIntoTheNext) {
  AuditEntry one = Chain(1).front();
  AuditEntry other = one;
  one.event = "ab";
  one.subject = "c";
  other.event = "a";
  other.subject = "bc";
  EXPECT_NE(HashOf(one), HashOf(other));
  other = one;
  other.os_user = "";
  EXPECT_NE(HashOf(one), HashOf(other)) << "nothing is not the empty text";
}

TEST(AuditEntry, SurvivesItsExport) {
  for (const AuditEntry& entry : Chain(2)) {
    const auto read = FromJsonLine(ToJsonLine(entry));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(HashOf(*read), entry.hash);
    EXPECT_EQ(read->os_user, entry.os_user);
  }
  EXPECT_FALSE(FromJsonLine("{}").has_value());
  EXPECT_FALSE(FromJsonLine("nonsense").has_value());
}

TEST(Anchor, IsReadAsItIsWritten) {
  EXPECT_EQ(ParseAnchor(ToText(Beginning())), Beginning());
  for (const char* wrong : {"", "1", "1:", "1:abc", "x:", "-1:"})
    EXPECT_EQ(ParseAnchor(wrong), std::nullopt) << wrong;
}

// ---- the directory and the database

Applied RowOf(const Migration& migration) {
  Applied row;
  row.version = migration.version;
  row.file = migration.file;
  row.format = migration.format;
  row.sums = migration.sums;
  return row;
}

std::vector<Difference> Differences(const std::vector<Migration>& files,
                                    const std::vector<Applied>& rows,
                                    Order order = Order::kStrict) {
  std::vector<Difference> all;
  for (const Divergence& divergence : Compare(files, rows, order)) {
    all.push_back(divergence.difference);
    EXPECT_THAT(divergence.what, Not(IsEmpty()));
    EXPECT_THAT(divergence.next, Not(IsEmpty()));
  }
  return all;
}

TEST(Compare, NamesEachDifference) {
  const Migration one = At("1");
  const Migration two = At("2", "SELECT 2;");
  const std::vector<Applied> both{RowOf(one), RowOf(two)};
  EXPECT_THAT(Differences({one, two}, both), IsEmpty());
  EXPECT_THAT(Differences({one, two, At("3")}, both), IsEmpty()) << "pending is no divergence";
  EXPECT_THAT(Differences({one, At("2", "SELECT 3;")}, both), ElementsAre(Difference::kEdited));
  EXPECT_THAT(Differences({one}, both), ElementsAre(Difference::kDeleted));
  EXPECT_THAT(Differences({one, two, two}, both), ElementsAre(Difference::kDuplicate));
  EXPECT_THAT(Differences({At("0", "SELECT 0;"), one, two}, both),
              ElementsAre(Difference::kOutOfOrder));
  EXPECT_THAT(Differences({At("0", "SELECT 0;"), one, two}, both, Order::kAny), IsEmpty());
  Migration renamed = two;
  renamed.file = "2_y.sql";
  EXPECT_THAT(Differences({one, renamed}, both), ElementsAre(Difference::kRenamed));
  Migration renumbered = two;
  renumbered.version = "7";
  renumbered.file = "7_x.sql";
  EXPECT_THAT(Differences({one, renumbered}, both), ElementsAre(Difference::kRenumbered));
  Migration crlf = two;
  crlf.sums.bytes = "other";
  EXPECT_THAT(Differences({one, crlf}, both), ElementsAre(Difference::kLineEnds));
  crlf.sums.text = "other";
  EXPECT_THAT(Differences({one, crlf}, both), ElementsAre(Difference::kCosmetic));
}

TEST(Compare, OneNumberInTwoSpellingsIsOneVersion) {
  EXPECT_THAT(Differences({At("001"), At("1", "SELECT 2;")}, {}),
              ElementsAre(Difference::kDuplicate));
  EXPECT_EQ(VersionKey("plain", "0010"), "10");
  EXPECT_EQ(VersionKey("plain", "000"), "0");
  EXPECT_EQ(VersionKey("flyway", "1_0.00"), "1");
  EXPECT_EQ(VersionKey("flyway", "01.10"), "1.10");
  EXPECT_EQ(VersionKey("sqitch", "01.10"), "01.10");
  EXPECT_EQ(VersionKey("prisma", "001_a"), "001_a");
}
TEST(Compare, AnotherFormatThanItWasAppliedAsIsToldApart) {
  Migration now = At("1");
  now.format = "dbmate";
  Applied then = RowOf(now);
  then.format = "pgalter";
  EXPECT_THAT(Differences({now}, {then}), ElementsAre(Difference::kFormat));
  then.state = State::kBaseline;
  EXPECT_THAT(Differences({now}, {then}), ElementsAre(Difference::kFormat));
}

TEST(Compare, ADependencyComesBefore) {
  Migration one = At("1");
  Migration two = At("2", "SELECT 2;");
  two.depends_on = {"1"};
  EXPECT_THAT(Differences({one, two}, {}), IsEmpty());
  one.depends_on = {"2"};
  EXPECT_THAT(Differences({one, two}, {}), ElementsAre(Difference::kDependency));
  one.depends_on = {"9"};
  EXPECT_THAT(Differences({one, two}, {}), ElementsAre(Difference::kDependency));
}

TEST(Compare, OfAlembicsBranchesNeitherStandsBeforeTheOther) {
  const auto revision = [](const std::string& id, std::vector<std::string> below) {
    Migration migration = At(id, "SELECT '" + id + "';");
    migration.format = "alembic";
    migration.file = id + ".py";
    migration.depends_on = std::move(below);
    return migration;
  };
  const Migration root = revision("a1", {});
  const Migration left = revision("b1", {"a1"});
  const Migration right = revision("b2", {"a1"});
  const Migration merge = revision("m1", {"b1", "b2"});
  const std::vector<Migration> all{root, left, right, merge};
  EXPECT_THAT(Differences(all, {RowOf(root), RowOf(right)}), IsEmpty());
  EXPECT_THAT(Differences(all, {RowOf(root), RowOf(right), RowOf(merge)}),
              ElementsAre(Difference::kOutOfOrder));
  Migration printed = left;
  printed.file = "b1.sql";
  EXPECT_THAT(Differences({root, printed, right}, {RowOf(root), RowOf(right)}),
              ElementsAre(Difference::kOutOfOrder));
}

TEST(Compare, OneThatIsHalfAppliedAndEditedIsToldTheWayBack) {
  const Migration one = At("1");
  Applied row = RowOf(one);
  row.state = State::kApplying;
  row.run = "abc";
  row.run_state = "failed";
  const auto found = Compare({At("1", "SELECT 9;")}, {row}, Order::kStrict);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].next, HasSubstr("pgalter revert abc --yes"));
}

// ---- migrations that exclude each other

Migration Excluding(const std::string& version, std::vector<std::string> others) {
  Migration migration = At(version, "SELECT '" + version + "';");
  migration.conflicts_with = std::move(others);
  migration.header = {{"conflicts_with", "", 3}};
  return migration;
}

std::vector<Divergence> Conflicts(const std::vector<Migration>& files,
                                  const std::vector<Applied>& rows,
                                  const std::vector<std::size_t>& wanted) {
  std::vector<const Migration*> all;
  for (const std::size_t i : wanted) all.push_back(&files[i]);
  return CompareExclusions(files, rows, all);
}

TEST(Exclusion, IsMeantBothWaysAndCountedOnce) {
  const std::vector<Migration> one_says{At("1"), Excluding("2", {"1"})};
  const std::vector<Migration> other_says{Excluding("1", {"2"}), At("2")};
  const std::vector<Migration> both_say{Excluding("1", {"2"}), Excluding("2", {"1"})};
  for (const auto& files : {one_says, other_says, both_say}) {
    ASSERT_THAT(ExclusionsOf(files), SizeIs(1));
    EXPECT_EQ(ExclusionsOf(files)[0].earlier, files.data());
    EXPECT_EQ(ExclusionsOf(files)[0].later, &files[1]);
    for (const std::size_t there : {0U, 1U})
      EXPECT_THAT(Conflicts(files, {RowOf(files[there])}, {1 - there}), SizeIs(1));
  }
  EXPECT_THAT(ExclusionsOf({At("1"), At("2")}), IsEmpty());
}

TEST(Exclusion, IsInTheWayOfWhatIsWantedAlone) {
  const std::vector<Migration> files{At("1"), At("2"), Excluding("3", {"1"}), At("4")};
  EXPECT_THAT(Conflicts(files, {}, {0, 1}), IsEmpty());
  const auto both = Conflicts(files, {}, {0, 1, 2, 3});
  ASSERT_THAT(both, SizeIs(1));
  EXPECT_THAT(both[0].next, HasSubstr("pgalter up --to 2"));
  const std::vector<Applied> applied{RowOf(files[0]), RowOf(files[1])};
  EXPECT_THAT(Conflicts(files, applied, {3}), IsEmpty());
  const auto one = Conflicts(files, applied, {2, 3});
  ASSERT_THAT(one, SizeIs(1));
  EXPECT_EQ(one[0].version, "3");
  EXPECT_THAT(one[0].next, HasSubstr("pgalter down --count 2 --yes"));
  const std::vector<Applied> all{RowOf(files[0]), RowOf(files[1]), RowOf(files[2])};
  const auto there = Conflicts(files, all, {});
  ASSERT_THAT(there, SizeIs(1));
  EXPECT_THAT(there[0].next, HasSubstr("pgalter down --count 1 --yes"));
}

TEST(Exclusion, OneThatIsExcludedIsNotAskedToGoOutOfOrder) {
  const std::vector<Migration> files{At("1"), Excluding("2", {"1"})};
  EXPECT_THAT(Differences(files, {RowOf(files[1])}), IsEmpty());
  const auto found = Conflicts(files, {RowOf(files[1])}, {0});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].version, "1");
}

TEST(Exclusion, WhatCannotBeIsAFaultWithItsLine) {
  EXPECT_THAT(FaultsOfExclusions({At("1"), Excluding("2", {"1"})}), IsEmpty());
  for (const char* wrong : {"9", "2"}) {
    const auto faults = FaultsOfExclusions({At("1"), Excluding("2", {"1", wrong})});
    ASSERT_THAT(faults, SizeIs(1)) << wrong;
    EXPECT_EQ(faults[0].problem.line, 3);
    EXPECT_EQ(faults[0].file, At("2").file);
  }
  Migration both = Excluding("2", {"1"});
  both.depends_on = {"1"};
  EXPECT_THAT(FaultsOfExclusions({At("1"), both}), SizeIs(1));
}

TEST(Exclusion, IsFoundBelowBranchesThatAreToMeet) {
  Migration b = At("2");
  b.depends_on = {"1"};
  Migration c = Excluding("3", {"2"});
  c.depends_on = {"1"};
  const std::vector<Migration> files{At("1"), b, c, At("4")};
  EXPECT_THAT(ExclusionsBelow(files, {"2", "4"}), SizeIs(1)) << "4 stands on 3";
  EXPECT_THAT(ExclusionsBelow(files, {"2"}), IsEmpty());
}

TEST(HeadsOf, AreTheEndsOfBranches) {
  Migration a = At("1");
  Migration b = At("2");
  Migration c = At("3");
  EXPECT_THAT(HeadsOf({a, b, c}), ElementsAre("3"));
  b.depends_on = {"1"};
  c.depends_on = {"1"};
  EXPECT_THAT(HeadsOf({a, b, c}), ElementsAre("2", "3"));
  Migration d = At("4");
  d.depends_on = {"2", "3"};
  EXPECT_THAT(HeadsOf({a, b, c, d}), ElementsAre("4"));
}

// ---- the plan of one migration

Migration OwnMigration(const std::string& text) {
  Migration migration = At("1");
  migration.up.text.clear();
  const formats::OwnFile own = formats::ReadOwnFile(text);
  migration.header = own.header;
  std::string only(text.size(), ' ');
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') only[i] = '\n';
  for (const formats::Section& section : own.sections) {
    if (section.kind > formats::SectionKind::kContract) continue;
    migration.sections.push_back(section);
    for (std::size_t i = section.body.begin; i < section.body.end; ++i) only[i] = text[i];
  }
  migration.up.text = only;
  return migration;
}

std::vector<std::string> Kinds(const plan::Plan& plan) {
  std::vector<std::string> kinds;
  for (const plan::Step& step : plan.steps)
    kinds.push_back(std::string(plan::Name(step.phase)) + " " + std::string(plan::Name(step.kind)));
  return kinds;
}

TEST(ComposeUp, MarksStandBetweenTheStepsOfTheirSections) {
  const Composed composed = ComposeUp(OwnMigration(std::string(kWhole)), {}, {}, Manner::kOnline);
  EXPECT_EQ(composed.refusal, "");
  EXPECT_THAT(Kinds(composed.plan), ElementsAre("expand ddl", "migrate backfill", "contract gate",
                                                "contract ddl", "contract gate", "contract ddl"));
  EXPECT_EQ(composed.plan.steps[2].gate->name, "app-deployed");
  EXPECT_EQ(composed.plan.steps[2].gate->soak_s, 604800);
}

TEST(ComposeUp, AContractWithoutAGateGetsOne) {
  const Composed composed = ComposeUp(
      OwnMigration("-- pgalter:up\nCREATE TABLE a (id int);\n-- pgalter:contract\nDROP VIEW v;\n"),
      {}, {}, Manner::kOnline);
  ASSERT_GE(composed.plan.steps.size(), 3U);
  EXPECT_EQ(composed.plan.steps[1].gate->name, "contract");
}

TEST(ComposeUp, ATriggerGoesBeforeTheColumnThatItReads) {
  const auto plan_of = [](const std::string& gate) {
    return ComposeUp(OwnMigration("-- pgalter:up\nALTER TABLE t ADD c int;\n"
                                  "-- pgalter:backfill table=t set=\"c = d + 1\"\n" +
                                  gate + "ALTER TABLE t DROP d;\n"),
                     {}, {}, Manner::kOnline)
        .plan;
  };
  const plan::Plan own = plan_of("-- pgalter:gate a\n-- pgalter:gate b\n-- pgalter:contract\n");
  EXPECT_THAT(Kinds(own), ElementsAre("expand ddl", "migrate backfill", "contract gate",
                                      "contract gate", "contract release", "contract gate",
                                      "contract ddl", "contract gate", "contract ddl"));
  EXPECT_EQ(own.steps[4].backfill, own.steps[1].backfill);
  const plan::Plan none = plan_of("-- pgalter:up\n");
  EXPECT_THAT(Kinds(none),
              ElementsAre("expand ddl", "migrate backfill", "contract gate", "contract release",
                          "contract gate", "contract ddl", "contract gate", "contract ddl"));
  EXPECT_EQ(none.steps[2].gate->name, "new-columns-written");
}

TEST(ComposeUp, AsWrittenHasNoGatesAndNoSteps) {
  const Composed composed =
      ComposeUp(OwnMigration(std::string(kWhole)), {}, {}, Manner::kAsWritten);
  EXPECT_THAT(Kinds(composed.plan), ElementsAre("expand ddl", "expand backfill", "expand ddl"));
  EXPECT_THAT(composed.plan.steps.back().sql, ElementsAre("ALTER TABLE t DROP d"));
}

TEST(ComposeUp, TheOldTableOfARebuildGoesAtTheEnd) {
  const catalog::Schema schema = After("CREATE TABLE t (id int PRIMARY KEY, a int);", {});
  const auto steps = [&](const std::string& text, Manner manner) {
    return Kinds(ComposeUp(OwnMigration(text), schema, {}, manner).plan);
  };
  const std::string vacuum = "-- pgalter:up\nVACUUM FULL t;\n";
  EXPECT_THAT(steps(vacuum, Manner::kOnline),
              ElementsAre("migrate rebuild", "contract gate", "contract release"));
  EXPECT_THAT(steps(vacuum + "CREATE INDEX ON other (b);\n", Manner::kOnline),
              ElementsAre("migrate rebuild", "expand concurrent-index", "contract gate",
                          "contract release"));
  EXPECT_THAT(steps(vacuum + "CREATE INDEX ON t (a);\n", Manner::kOnline),
              ElementsAre("migrate rebuild", "contract gate", "contract release",
                          "expand concurrent-index"))
      << "it has gone before";
  EXPECT_THAT(steps(vacuum + "-- pgalter:gate looked\n", Manner::kOnline),
              ElementsAre("migrate rebuild", "contract gate", "contract release"));
  EXPECT_THAT(steps(vacuum, Manner::kWithoutGates),
              ElementsAre("expand rebuild", "expand release"));
  Migration down = OwnMigration("-- pgalter:up\nSELECT 1;\n");
  down.down = down.up;
  down.down->text = "VACUUM FULL t;";
  EXPECT_THAT(Kinds(ComposeDown(down, schema, {}).plan),
              ElementsAre("migrate rebuild", "contract release"));
}

Composed OfTool(const std::string& text, bool together) {
  Migration migration = At("1");
  migration.up.text = text;
  migration.up.together = together;
  return ComposeUp(migration, {}, {}, Manner::kOnline);
}

TEST(ComposeUp, TheHeaderSaysThatTriggersMayFire) {
  catalog::Schema schema;
  for (const char* text :
       {"CREATE TABLE t (id int PRIMARY KEY)",
        "CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()"})
    schema.Apply(*sql::ast::ReadStatement(text));
  schema.SetComplete();
  plan::PlanOptions options;
  options.firing.may_silence = false;
  const auto composed = [&](const std::string& header, const std::string& begin = "") {
    const std::string text = "-- pgalter: 1\n" + header + "\n" + begin +
                             "ALTER TABLE t ADD x uuid DEFAULT gen_random_uuid();\n";
    return ComposeUp(OwnMigration(text), schema, options, Manner::kOnline).plan;
  };
  const plan::Plan fired = composed("-- fire_triggers: yes");
  ASSERT_GT(fired.steps.size(), 1U);
  EXPECT_EQ(fired.steps[1].backfill->triggers, plan::Backfill::Triggers::kAccepted);
  for (const char* begin : {"", "BEGIN;\n"}) {
    const plan::Plan refused = composed("", begin);
    EXPECT_TRUE(refused.steps.empty()) << begin;
    EXPECT_EQ(refused.statements.back().answer, plan::Answer::kRefused) << begin;
    EXPECT_THAT(refused.statements.back().remarks.at(0),
                HasSubstr("\"-- fire_triggers: yes\" in the header"));
  }
}

TEST(ComposeUp, ATransactionOfTheToolStaysOneWhereItCan) {
  const std::string plain = "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\n";
  EXPECT_THAT(OfTool(plain, true).plan.steps, SizeIs(1));
  EXPECT_THAT(OfTool(plain, false).plan.steps, SizeIs(2));
  EXPECT_THAT(OfTool("BEGIN;\n" + plain + "COMMIT;\n", false).plan.steps, SizeIs(1));
  const Composed online = OfTool("ALTER TABLE t ALTER c SET NOT NULL;\nSELECT 1;\n", true);
  EXPECT_GT(online.plan.steps.size(), 2U);
  EXPECT_THAT(online.remarks, SizeIs(1));
}

TEST(ComposeUp, SettingsOfOneTransactionEndWithIt) {
  const Composed composed = OfTool(
      "SET search_path = app;\nSET lock_timeout = '1h';\nSET SESSION work_mem = '1GB';\n"
      "CREATE TABLE a (id int);\n",
      true);
  ASSERT_THAT(composed.plan.steps, SizeIs(1));
  EXPECT_THAT(composed.plan.steps[0].sql,
              ElementsAre("SET LOCAL search_path = app", "SET LOCAL work_mem = '1GB'",
                          "CREATE TABLE a (id int)"));
}

TEST(ComposeUp, ASettingThatStepsWouldLoseIsRefusedWithItsLine) {
  for (const char* lost :
       {"SET ROLE app", "SET SESSION AUTHORIZATION app", "SET LOCAL TimeZone = 'UTC'",
        "SET session_replication_role = replica", "SET standard_conforming_strings = off",
        "SET row_security = on", "SET client_encoding = 'LATIN1'", "SET search_path = app",
        "SELECT set_config('role', 'app', false)", "SELECT pg_catalog.set_config('a.b', '', true)",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"}) {
    const std::string text = "SELECT 1;\n" + std::string(lost) + ";\nSELECT 2;\n";
    EXPECT_THAT(OfTool(text, false).refusal, HasSubstr("line 2: ")) << lost;
    const Composed as_written = ComposeUp(OwnMigration(text), {}, {}, Manner::kAsWritten);
    EXPECT_THAT(as_written.refusal, HasSubstr("line 2: ")) << lost;
    const Composed split = OfTool(text + "ALTER TABLE t ALTER c SET NOT NULL;\n", true);
    EXPECT_THAT(split.refusal, HasSubstr("line 2: ")) << lost;
  }
}

TEST(ComposeUp, TimeoutsAndTheHeadOfADumpAreLeftOut) {
  const Composed timeouts = OfTool(
      "SET lock_timeout = '5s';\nSELECT set_config('statement_timeout', '0', false);\n"
      "CREATE TABLE a (id int);\n",
      false);
  EXPECT_EQ(timeouts.refusal, "");
  EXPECT_THAT(timeouts.remarks, ElementsAre(HasSubstr("line 1: "), HasSubstr("line 2: ")));
  EXPECT_THAT(timeouts.plan.steps, SizeIs(1));
  const Composed dump = OfTool(
      "SET statement_timeout = 0;\nSET lock_timeout = 0;\n"
      "SET idle_in_transaction_session_timeout = 0;\nSET transaction_timeout = 0;\n"
      "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n"
      "SELECT pg_catalog.set_config('search_path', '', false);\n"
      "SET check_function_bodies = false;\nSET xmloption = content;\n"
      "SET client_min_messages = warning;\nSET row_security = off;\n"
      "SET default_tablespace = '';\nSET default_table_access_method = heap;\n"
      "CREATE TABLE public.a (id int);\n",
      false);
  EXPECT_EQ(dump.refusal, "");
  EXPECT_THAT(dump.plan.steps, SizeIs(1));
}

TEST(ComposeUp, ATransactionGivesItsRoleBack) {
  EXPECT_THAT(OfTool("SET ROLE app;\nCREATE TABLE a (id int);\n", true).plan.steps.at(0).sql,
              ElementsAre("SET LOCAL ROLE app", "CREATE TABLE a (id int)", "RESET ROLE"));
  EXPECT_THAT(OfTool("SET SESSION AUTHORIZATION app;\nSELECT 1;\n", true).plan.steps.at(0).sql,
              ElementsAre("SET LOCAL SESSION AUTHORIZATION app", "SELECT 1",
                          "RESET SESSION AUTHORIZATION", "RESET ROLE"));
}

TEST(ComposeUp, APlaceholderOfFlywayIsRefusedInAStringToo) {
  Migration migration = At("1");
  migration.format = "flyway";
  migration.up.text = "-- ${comment}\nSELECT 1;\nINSERT INTO a VALUES ('${name}');\n";
  migration.up.together = true;
  EXPECT_THAT(ComposeUp(migration, {}, {}, Manner::kOnline).refusal,
              AllOf(HasSubstr("line 3: "), HasSubstr("${name}")));
  migration.up.text = "-- ${comment}\nSELECT 1;\n";
  EXPECT_EQ(ComposeUp(migration, {}, {}, Manner::kOnline).refusal, "");
  migration.down = migration.up;
  migration.down->text = "DELETE FROM a WHERE b = '${name}';\n";
  EXPECT_THAT(ComposeDown(migration, {}, {}).refusal, HasSubstr("line 1: "));
  migration.format = "plain";
  EXPECT_EQ(ComposeDown(migration, {}, {}).refusal, "") << "a string as any other";
}

TEST(ComposeUp, RefusesWhatItCannotSend) {
  for (const char* text :
       {"BEGIN;\nSELECT 1;\n", "SELECT 1;\nCOMMIT;\n", "BEGIN;\nSELECT 1;\nCOMMIT;\nSELECT 2;\n",
        "\\copy a from 'b'\n", "COPY a FROM stdin;\n1\n\\.\n", "SELECT ${x};\n"})
    EXPECT_NE(OfTool(text, false).refusal, "") << text;
  EXPECT_EQ(OfTool("\\set ON_ERROR_STOP on\n\\echo hello\nSELECT 1;\n", false).refusal, "");
}

}  // namespace
}  // namespace pgalter::history
