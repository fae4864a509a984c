// The rules of what a transaction holds: which sequences they find, and which they leave alone.
#include <gmock/gmock.h>

#include "tests/support/lint_verdict.h"

namespace pgalter::lint {
namespace {

using test::FoundCase;
using test::SilentCase;

class LockFound : public ::testing::TestWithParam<FoundCase> {};

TEST_P(LockFound, SaysSo) {
  const auto findings =
      test::FindingsOn(GetParam().sql, test::ForVersion(GetParam().server_version));
  EXPECT_EQ(test::VerdictOf(findings, GetParam().rule), GetParam().severity)
      << test::Complaints(findings);
}

const std::string kSeveral = "several-locks-in-one-tx";
const std::string kBackfill = "ddl-with-backfill-in-tx";
const std::string kLockTimeout = "missing-lock-timeout";

INSTANTIATE_TEST_SUITE_P(
    Sequences, LockFound,
    ::testing::ValuesIn(std::vector<FoundCase>{
        {"ForeignKeyAfterAnotherTable",
         "BEGIN; ALTER TABLE archive ADD COLUMN x int;"
         "ALTER TABLE items ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID; COMMIT;",
         kSeveral, "warning"},
        {"ValidateUnderAnOlderLock",
         "ALTER TABLE orders ADD CONSTRAINT c CHECK (amount > 0) NOT VALID;"
         "BEGIN; ALTER TABLE orders ADD COLUMN x int; ALTER TABLE orders VALIDATE CONSTRAINT c;"
         "COMMIT;",
         kSeveral, "error"},
        {"SleepUnderALock",
         "BEGIN; ALTER TABLE orders ADD COLUMN x int; SELECT pg_sleep(60); COMMIT;", kBackfill,
         "error"},
        {"CountUnderALock",
         "BEGIN; ALTER TABLE orders ADD COLUMN x int; SELECT count(*) FROM customers; COMMIT;",
         kSeveral, "warning"},
        {"CopyOfATableUnderALock",
         "BEGIN; ALTER TABLE orders ADD COLUMN x int;"
         "CREATE TABLE orders_copy AS SELECT * FROM orders; COMMIT;",
         kSeveral, "error"},
        {"TwoTablesInDoBlock",
         "DO $$ BEGIN ALTER TABLE orders ADD COLUMN x int; ALTER TABLE items ADD COLUMN x int; END "
         "$$;",
         kSeveral, "warning"},
        {"UpdateOfAll",
         "BEGIN; ALTER TABLE orders ADD COLUMN x int; UPDATE orders SET x = 1; COMMIT;", kBackfill,
         "error"},
        {"UpdateOfSome",
         "BEGIN; ALTER TABLE orders ADD COLUMN x int; UPDATE orders SET x = 1 WHERE status = 'a';"
         "COMMIT;",
         kBackfill, "warning"},
        {"DeleteFromAnotherTable",
         "BEGIN; ALTER TABLE orders ADD COLUMN x int; DELETE FROM items WHERE quantity = 0; "
         "COMMIT;",
         kBackfill, "warning"},
        {"InsertFromQuery",
         "BEGIN; CREATE TABLE t (o bigint REFERENCES orders);"
         "INSERT INTO t SELECT id FROM orders; COMMIT;",
         kBackfill, "error"},
        {"LockTimeoutOff", "SET lock_timeout = 0; ALTER TABLE orders ADD COLUMN x int;",
         kLockTimeout, "note"},
        {"LockTimeoutTooLong", "SET lock_timeout = '10min'; ALTER TABLE orders ADD COLUMN x int;",
         kLockTimeout, "note"},
        {"SetLocalOutside", "SET LOCAL lock_timeout = '2s'; ALTER TABLE orders ADD COLUMN x int;",
         kLockTimeout, "note"},
        {"SetLocalEnded",
         "BEGIN; SET LOCAL lock_timeout = '2s'; COMMIT; ALTER TABLE orders ADD COLUMN x int;",
         kLockTimeout, "note"},
    }),
    test::CaseName<FoundCase>);

class LockSilent : public ::testing::TestWithParam<SilentCase> {};

TEST_P(LockSilent, SaysNothing) {
  EXPECT_EQ(test::Complaints(
                test::FindingsOn(GetParam().sql, test::ForVersion(GetParam().server_version))),
            "");
}

INSTANTIATE_TEST_SUITE_P(
    Sequences, LockSilent,
    ::testing::ValuesIn(std::vector<SilentCase>{
        {"OneTable",
         "BEGIN; ALTER TABLE orders ADD COLUMN x int; ALTER TABLE orders ADD COLUMN y int;"
         "COMMENT ON COLUMN orders.x IS 'x'; COMMIT;"},
        {"ParentAndPartition",
         "BEGIN; ALTER TABLE events ADD COLUMN x int; ALTER TABLE events_2024 ALTER COLUMN x SET "
         "DEFAULT 1; COMMIT;"},
        {"NewTables",
         "BEGIN; CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a);"
         "INSERT INTO a SELECT generate_series(1, 10); CREATE INDEX b_a ON b (a); COMMIT;"},
        {"NewTablesThatReferToOthers",
         "BEGIN; CREATE TABLE a (o bigint REFERENCES orders); CREATE TABLE b (c bigint REFERENCES "
         "customers); COMMIT;"},
        {"RowByKey",
         "BEGIN; ALTER TABLE orders ADD COLUMN x int; UPDATE orders SET x = 1 WHERE id = 5; "
         "COMMIT;"},
        {"Values",
         "BEGIN; ALTER TABLE archive ADD COLUMN x int; INSERT INTO archive (id) VALUES (99999);"
         "COMMIT;"},
        {"CommitBetween",
         "BEGIN; ALTER TABLE orders ADD COLUMN x int; COMMIT;"
         "BEGIN; ALTER TABLE items ADD COLUMN x int; COMMIT;"},
        {"WeakLocks",
         "BEGIN; ANALYZE orders; COMMENT ON TABLE items IS 'x'; ALTER TABLE archive SET "
         "(fillfactor "
         "= 70); COMMIT;"},
        {"Settings",
         "BEGIN; SET LOCAL lock_timeout = '2s'; ALTER TABLE orders ADD COLUMN x int;"
         "SELECT 1; COMMIT;"},
        {"Trigger",
         "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();"},
        {"NewTableWithTwoKeys",
         "CREATE TABLE t (o bigint REFERENCES orders, c bigint REFERENCES customers);"},
    }),
    test::CaseName<SilentCase>);

TEST(LockTimeout, IsNotAskedForWhereItLeavesAnInvalidIndex) {
  for (const char* sql :
       {"CREATE INDEX CONCURRENTLY i ON orders (amount);", "DROP INDEX CONCURRENTLY orders_status;",
        "REINDEX TABLE CONCURRENTLY orders;", "CREATE TABLE t (id int);",
        "COMMENT ON TABLE orders IS 'x';", "SET lock_timeout = '2s'; DROP VIEW order_totals;"})
    EXPECT_EQ(test::VerdictOf(test::FindingsOn(sql), kLockTimeout), "") << sql;
}

TEST(LockTimeout, IsPutAroundTheOneStatement) {
  EXPECT_EQ(test::Fixed("ALTER TABLE orders ADD COLUMN x int;", kLockTimeout),
            "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN x int;\nRESET lock_timeout;");
}

TEST(LockTimeout, IsNotPutAroundWhatBecomesConcurrent) {
  for (const char* sql :
       {"CREATE INDEX i ON orders (amount);", "DROP INDEX orders_status;", "REINDEX TABLE orders;",
        "ALTER TABLE events DETACH PARTITION events_2024;",
        "ALTER TABLE orders ADD CONSTRAINT c CHECK (amount > 0);"})
    EXPECT_EQ(test::Fixed(sql, kLockTimeout), sql);
}

TEST(LockTimeout, IsTheRunnersAffairWhereItSaysSo) {
  Options options;
  options.assumed_lock_timeout = std::chrono::seconds(2);
  EXPECT_EQ(test::VerdictOf(test::FindingsOn("ALTER TABLE orders ADD COLUMN x int;", options),
                            kLockTimeout),
            "");
}

// psql's \ir: the included script runs inside the transaction of the other.
TEST(IncludedScript, GoesOnInTheSameTransactionAndSession) {
  const auto piece = [](std::string text, bool continues) {
    File file;
    file.name = continues ? "part.sql" : "whole.sql";
    file.text = std::move(text);
    file.continues = continues;
    return file;
  };
  const auto findings =
      Lint({piece("SET lock_timeout = '2s'; BEGIN; ALTER TABLE a ADD COLUMN x int;", false),
            piece("ALTER TABLE b ADD COLUMN x int;", true), piece("COMMIT;", true)},
           {})
          .findings;
  EXPECT_EQ(test::VerdictOf(findings, kSeveral), "note");
  EXPECT_EQ(test::VerdictOf(findings, kLockTimeout), "");
  EXPECT_EQ(test::VerdictOf(findings, "unclosed-transaction"), "");
}

TEST(ImpliedTransaction, HoldsItsLocksToo) {
  const std::string sql =
      "ALTER TABLE orders ADD COLUMN x int; ALTER TABLE items ADD COLUMN x int;";
  EXPECT_EQ(test::VerdictOf(test::FindingsOn(sql), kSeveral), "");
  EXPECT_EQ(test::VerdictOf(test::FindingsOn(sql, {}, Sending::kTransaction), kSeveral), "warning");
  EXPECT_EQ(test::VerdictOf(test::FindingsOn(sql, {}, Sending::kOneQuery), kSeveral), "warning");
}

}  // namespace
}  // namespace pgalter::lint
