// Rules on statements that fail, lose data or break running clients: the forms that bad.sql and
// good.sql have no room for.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "planner/lint/linter.h"
#include "tests/support/lint_case.h"

namespace pgalter::lint {
namespace {

struct Case {
  std::string name;
  std::string sql;
  std::string rule;
  std::string severity;  // "": silent
  Sending sending = Sending::kOneByOne;
  int server = 15;
};

void PrintTo(const Case& given, std::ostream* out) { *out << given.sql; }

class LintStatement : public ::testing::TestWithParam<Case> {};

TEST_P(LintStatement, IsJudged) {
  File base;
  base.name = "base.sql";
  base.text = test::ReadLintBase();
  base.judged = false;
  File file;
  file.name = "script.sql";
  file.text = GetParam().sql;
  file.parts = {{{0, file.text.size()}, GetParam().sending}};
  Options options;
  options.server_version = GetParam().server;
  std::string severity;
  for (const Finding& finding : Lint({base, file}, options).findings)
    if (finding.rule == GetParam().rule) severity = Name(finding.severity);
  EXPECT_EQ(severity, GetParam().severity) << GetParam().sql;
}

constexpr auto kTransaction = Sending::kTransaction;
constexpr auto kOneQuery = Sending::kOneQuery;

const std::vector<Case> kCases = {
    // What is there already, and what is not.
    {"IndexOfMissingColumn", "CREATE INDEX CONCURRENTLY i ON orders (nowhere)", "refused-statement",
     "error"},
    {"UpdateOfMissingColumn", "UPDATE orders SET nowhere = 1 WHERE id = 1", "refused-statement",
     "error"},
    {"ColumnTwiceInDo", "DO $$ BEGIN ALTER TABLE orders ADD COLUMN amount integer; END $$",
     "refused-statement", "error"},
    {"ColumnTwiceBehindAGuard",
     "DO $$ BEGIN IF 1 = 1 THEN ALTER TABLE orders ADD COLUMN amount integer; END IF; END $$",
     "refused-statement", "note"},
    {"ColumnTwiceAndCaught",
     "DO $$ BEGIN ALTER TABLE orders ADD COLUMN amount integer; EXCEPTION WHEN duplicate_column "
     "THEN NULL; END $$",
     "refused-statement", "note"},
    {"SchemaPublicOfADump", "CREATE SCHEMA public", "refused-statement", ""},
    {"FunctionOfOtherArguments",
     "CREATE FUNCTION twice(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';"
     "CREATE FUNCTION twice(a text) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
     "refused-statement", ""},
    {"FunctionTwice",
     "CREATE FUNCTION twice(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';"
     "CREATE FUNCTION twice(b integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
     "refused-statement", "error"},
    // Transactions.
    {"CicBetweenBeginAndCommit", "BEGIN; CREATE INDEX CONCURRENTLY i ON orders (amount); COMMIT",
     "concurrently-in-transaction", "error"},
    {"CicAfterCommit", "BEGIN; SELECT 1; COMMIT; CREATE INDEX CONCURRENTLY i ON orders (amount)",
     "concurrently-in-transaction", ""},
    {"CicBehindASetInOneQuery",
     "SET lock_timeout = '2s'; CREATE INDEX CONCURRENTLY i ON orders (amount)",
     "concurrently-in-transaction", "error", kOneQuery},
    {"CicAloneInOneQuery", "CREATE INDEX CONCURRENTLY i ON orders (amount)",
     "concurrently-in-transaction", "", kOneQuery},
    {"CicInDo", "DO $$ BEGIN EXECUTE 'CREATE INDEX CONCURRENTLY i ON orders (amount)'; END $$",
     "concurrently-in-transaction", "error"},
    {"DropIndexConcurrently", "DROP INDEX CONCURRENTLY orders_status",
     "concurrently-in-transaction", "error", kTransaction},
    {"ReindexConcurrently", "REINDEX INDEX CONCURRENTLY orders_status",
     "concurrently-in-transaction", "error", kTransaction},
    {"ReindexOptionConcurrently", "REINDEX (CONCURRENTLY) TABLE orders",
     "concurrently-in-transaction", "error", kTransaction},
    {"PlainReindexSchema", "REINDEX SCHEMA public", "concurrently-in-transaction", "error",
     kTransaction},
    {"PlainReindexTable", "REINDEX TABLE orders", "concurrently-in-transaction", "", kTransaction},
    {"DetachConcurrently", "ALTER TABLE events DETACH PARTITION events_2024 CONCURRENTLY",
     "concurrently-in-transaction", "error", kTransaction},
    {"Vacuum", "VACUUM orders", "concurrently-in-transaction", "error", kTransaction},
    {"Analyze", "ANALYZE orders", "concurrently-in-transaction", "", kTransaction},
    {"ClusterEverything", "CLUSTER", "concurrently-in-transaction", "error", kTransaction},
    {"AlterSystem", "ALTER SYSTEM SET work_mem = '4MB'", "concurrently-in-transaction", "error",
     kTransaction},
    {"CreateDatabase", "CREATE DATABASE other", "concurrently-in-transaction", "error",
     kTransaction},
    {"RefreshConcurrently", "REFRESH MATERIALIZED VIEW CONCURRENTLY order_days",
     "concurrently-in-transaction", "", kTransaction},
    {"BeginInsideTheTool", "BEGIN; SELECT 1; COMMIT", "transaction-nesting", "warning",
     kTransaction},
    {"BeginInOneQuery", "BEGIN; SELECT 1; COMMIT", "transaction-nesting", "", kOneQuery},
    {"BeginTwice", "BEGIN; BEGIN; COMMIT", "transaction-nesting", "warning"},
    {"CommitOfNothing", "COMMIT", "transaction-nesting", "note"},
    {"BeginAlone", "SELECT 1; BEGIN", "unclosed-transaction", "error"},
    {"BeginAndRollback", "BEGIN; SELECT 1; ROLLBACK", "unclosed-transaction", ""},
    {"SecondBeginOpen", "BEGIN; COMMIT; BEGIN; SELECT 1", "unclosed-transaction", "error"},

    // Enums.
    {"ValueAsDefault",
     "ALTER TYPE mood ADD VALUE 'great'; ALTER TABLE customers ALTER state SET DEFAULT 'great'",
     "enum-add-then-use", "error", kTransaction},
    {"ValueInNewTable",
     "ALTER TYPE mood ADD VALUE 'great'; CREATE TABLE moods (m mood DEFAULT 'great')",
     "enum-add-then-use", "error", kTransaction},
    {"ValueCast", "ALTER TYPE mood ADD VALUE 'great'; SELECT 'great'::mood", "enum-add-then-use",
     "error", kTransaction},
    {"SameWordAsText",
     "ALTER TYPE mood ADD VALUE 'great'; UPDATE orders SET status = 'great' WHERE id = 1",
     "enum-add-then-use", "", kTransaction},
    {"SameWordInUnknownTable",
     "ALTER TYPE mood ADD VALUE 'great'; UPDATE others SET status = 'great' WHERE id = 1",
     "enum-add-then-use", "warning", kTransaction},
    {"OldValue",
     "ALTER TYPE mood ADD VALUE 'great'; UPDATE customers SET state = 'ok' WHERE id = 1",
     "enum-add-then-use", "", kTransaction},
    {"ValueOfNewType",
     "CREATE TYPE t AS ENUM ('a', 'b'); CREATE TABLE u (c t DEFAULT 'b'); INSERT INTO u VALUES "
     "('a')",
     "enum-add-then-use", "", kTransaction},
    {"NewTypeExtended", "CREATE TYPE t AS ENUM ('a'); ALTER TYPE t ADD VALUE 'b'; SELECT 'b'::t",
     "enum-add-then-use", "error", kTransaction},
    {"NewTypeExtendedLater",
     "CREATE TYPE t AS ENUM ('a'); ALTER TYPE t ADD VALUE 'b'; SELECT 'b'::t", "enum-add-then-use",
     "", kTransaction, 17},

    // What the server refuses.
    {"RequiredSerial", "ALTER TABLE orders ADD COLUMN n serial NOT NULL", "add-required-column",
     ""},
    {"RequiredIdentity",
     "ALTER TABLE orders ADD COLUMN n bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
     "add-required-column", ""},
    {"RequiredOnNewTable", "CREATE TABLE n (id bigint); ALTER TABLE n ADD COLUMN c text NOT NULL",
     "add-required-column", ""},
    {"RequiredDefaultNull", "ALTER TABLE orders ADD COLUMN c text NOT NULL DEFAULT NULL",
     "add-required-column", "error"},
    {"RequiredOnUnknownTable", "ALTER TABLE others ADD COLUMN c text NOT NULL",
     "add-required-column", "error"},
    {"PrimaryKeyColumn", "ALTER TABLE items ADD COLUMN id bigint PRIMARY KEY",
     "add-required-column", "error"},
    {"NotValidFkOn18", "ALTER TABLE events ADD FOREIGN KEY (id) REFERENCES archive NOT VALID",
     "not-valid-fk-on-partitioned", "", Sending::kOneByOne, 18},
    {"UniqueNotValid", "ALTER TABLE orders ADD CONSTRAINT u UNIQUE (amount) NOT VALID",
     "parse-error", "warning"},
    {"DropTableWithView", "DROP TABLE customers", "refused-statement", "error"},
    {"DropColumnOfView", "ALTER TABLE customers DROP COLUMN tier", "refused-statement", "error"},
    {"DropConstraintIndex", "DROP INDEX CONCURRENTLY orders_pkey", "refused-statement", "error"},
    {"DetachBesideDefault", "ALTER TABLE logs DETACH PARTITION logs_2025 CONCURRENTLY",
     "refused-statement", "error"},
    {"IndexNameTaken", "CREATE INDEX CONCURRENTLY orders_status ON orders (amount)",
     "refused-statement", "error"},
    {"TypeOfPartitionKey", "ALTER TABLE events ALTER COLUMN at TYPE timestamp",
     "type-change-blocked", "error"},
    {"UsingPartialIndex",
     "CREATE UNIQUE INDEX CONCURRENTLY u ON orders (id) WHERE amount > 0;"
     "ALTER TABLE orders ADD UNIQUE USING INDEX u",
     "using-index-unfit", "error"},
    {"UsingNonUniqueIndex", "ALTER TABLE orders ADD UNIQUE USING INDEX orders_status",
     "using-index-unfit", "error"},
    {"InsertTwice", "INSERT INTO items (order_id, order_id) VALUES (1, 2)",
     "duplicate-column-assignment", "error"},
    {"ColumnTwice", "CREATE TABLE n (id bigint, id text)", "duplicate-column-assignment", "error"},
    {"PendingChecksOfInsert",
     "INSERT INTO shelves (id, rack_id) VALUES (900, 1); ALTER TABLE shelves ADD COLUMN h int",
     "constraint-then-ddl-pending-events", "error", kTransaction},
    {"PendingChecksOfParent", "DELETE FROM racks WHERE id = 9; ALTER TABLE racks ADD COLUMN h int",
     "constraint-then-ddl-pending-events", "error", kTransaction},
    {"ChangeBesideTheKey",
     "UPDATE shelves SET label = 'x' WHERE id = 1; ALTER TABLE shelves ADD COLUMN h int",
     "constraint-then-ddl-pending-events", "", kTransaction},
    {"ChecksMadeAtOnce",
     "DELETE FROM racks WHERE id = 9; SET CONSTRAINTS ALL IMMEDIATE;"
     "ALTER TABLE racks ADD COLUMN h int",
     "constraint-then-ddl-pending-events", "", kTransaction},
    {"ForeignKeyToLaterTable",
     "CREATE TABLE a (b_id bigint REFERENCES b); CREATE TABLE b (id bigint PRIMARY KEY)",
     "wrong-order", "error"},
    {"ViewOfLaterTable", "CREATE VIEW v AS SELECT * FROM b; CREATE TABLE b (id bigint)",
     "wrong-order", "error"},
    {"TableMadeAgain", "UPDATE b SET x = 1 WHERE id = 1; DROP TABLE b; CREATE TABLE b (id bigint)",
     "wrong-order", ""},

    // Lost data.
    {"DropColumnOfUnknownTable", "ALTER TABLE others DROP COLUMN a", "drop-column", "error"},
    {"DropColumnOfNewTable", "CREATE TABLE n (a int, b int); ALTER TABLE n DROP COLUMN a",
     "drop-column", ""},
    {"DropColumnThatIsNot", "ALTER TABLE orders DROP COLUMN IF EXISTS nowhere", "drop-column", ""},
    {"DropTableIfExists", "DROP TABLE IF EXISTS orders", "drop-table", "error"},
    {"DropUnknownTableIfExists", "DROP TABLE IF EXISTS others", "drop-table", "note"},
    {"DropNewTable", "CREATE TABLE n (a int); DROP TABLE n", "drop-table", ""},
    {"DropTableInDo", "DO $$ BEGIN DROP TABLE bookings; END $$", "drop-table", "error"},
    {"DropOwned", "DROP OWNED BY somebody", "drop-schema", "error"},
    {"DropEmptySchema", "DROP SCHEMA nothing", "drop-schema", "note"},
    {"DropTypeUnused", "DROP TYPE IF EXISTS unused", "drop-type", "note"},
    {"DropTriggerFunction", "DROP FUNCTION touch()", "drop-function", ""},
    {"DropTriggerFunctionAndTrigger",
     "CREATE TRIGGER t BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();"
     "DROP FUNCTION touch() CASCADE",
     "drop-function", "warning"},
    {"FunctionMadeAgain",
     "DROP FUNCTION next_number(); CREATE FUNCTION next_number(a int) RETURNS int LANGUAGE sql AS "
     "'SELECT 1'",
     "drop-function", "", kTransaction},
    {"SequenceForIdentity",
     "ALTER TABLE orders ALTER id DROP DEFAULT; DROP SEQUENCE ticket;"
     "ALTER TABLE orders ALTER id ADD GENERATED BY DEFAULT AS IDENTITY",
     "drop-sequence", "", kTransaction},
    {"TruncateSeveral", "TRUNCATE items, bookings", "truncate", "error"},
    {"TruncateTemporary", "CREATE TEMP TABLE x (a int); TRUNCATE x", "truncate", ""},

    // Many rows.
    {"UpdateWhereTrue", "UPDATE orders SET amount = 1 WHERE true", "update-without-where", "error"},
    {"UpdateInWith", "WITH u AS (UPDATE orders SET amount = 1 RETURNING id) SELECT count(*) FROM u",
     "update-without-where", "error"},
    {"UpdateOfNewTable", "CREATE TABLE n (a int); UPDATE n SET a = 1", "update-without-where", ""},
    {"UpdateInDo", "DO $$ BEGIN UPDATE orders SET amount = 1; END $$", "update-without-where",
     "error"},
    {"DeleteWhereOneIsOne", "DELETE FROM orders WHERE 1 = 1", "delete-without-where", "error"},
    {"OnlyWhatIsNot", "UPDATE orders SET amount = 1 WHERE amount <> 1", "unbatched-backfill",
     "warning"},
    {"AboveZero", "UPDATE orders SET amount = 1 WHERE id > 0", "unbatched-backfill", "warning"},
    {"DistinctColumns", "UPDATE orders SET amount = checked WHERE amount IS DISTINCT FROM checked",
     "unbatched-backfill", "warning"},
    {"MereJoin", "UPDATE orders o SET amount = i.quantity FROM items i WHERE i.order_id = o.id",
     "unbatched-backfill", "warning"},
    {"JoinWithNull",
     "UPDATE orders o SET amount = i.quantity FROM items i WHERE i.order_id = o.id AND o.amount IS "
     "NULL",
     "unbatched-backfill", "warning"},
    {"JoinWithRange",
     "UPDATE orders o SET amount = i.quantity FROM items i WHERE i.order_id = o.id AND o.id < 500",
     "unbatched-backfill", ""},
    {"OneRow", "UPDATE orders SET amount = 1 WHERE id = 7", "unbatched-backfill", ""},
    {"Named", "DELETE FROM orders WHERE id IN (1, 2, 3)", "unbatched-backfill", ""},
    {"Limited",
     "UPDATE orders SET amount = 1 WHERE id IN (SELECT id FROM orders WHERE amount IS NULL LIMIT "
     "100)",
     "unbatched-backfill", ""},
    {"RangeInLoop",
     "DO $$ DECLARE a bigint := 0; BEGIN LOOP UPDATE orders SET amount = 1 WHERE id > a AND id <= "
     "a "
     "+ 100 AND amount IS NULL; COMMIT; a := a + 100; EXIT WHEN a > 2000; END LOOP; END $$",
     "unbatched-backfill", ""},
    {"PartsInOneTransaction",
     "DO $$ BEGIN LOOP UPDATE orders SET amount = 1 WHERE id IN (SELECT id FROM orders WHERE "
     "amount "
     "IS NULL LIMIT 100); EXIT WHEN NOT FOUND; END LOOP; END $$",
     "unbatched-backfill", "warning"},
    {"MergeOfTable",
     "MERGE INTO orders o USING items i ON i.order_id = o.id WHEN MATCHED THEN UPDATE SET amount = "
     "i.quantity",
     "unbatched-backfill", "warning"},
    {"MergeOfValues",
     "MERGE INTO orders o USING (VALUES (1, 2)) v (id, n) ON v.id = o.id WHEN MATCHED THEN UPDATE "
     "SET amount = v.n",
     "unbatched-backfill", ""},
    {"MergeThatOnlyInserts",
     "MERGE INTO orders o USING items i ON i.order_id = o.id WHEN NOT MATCHED THEN INSERT (id) "
     "VALUES (i.order_id)",
     "unbatched-backfill", ""},
    {"RowsThatTheFileLists",
     "CREATE TEMP TABLE fix (id bigint, n int); UPDATE orders o SET amount = f.n FROM fix f WHERE "
     "f.id = o.id",
     "unbatched-backfill", ""},
    {"UpdateInCalledFunction",
     "CREATE FUNCTION fill() RETURNS void LANGUAGE plpgsql AS 'BEGIN UPDATE orders SET amount = 1; "
     "END'; SELECT fill()",
     "update-without-where", "error"},
    {"UpdateInUncalledFunction",
     "CREATE FUNCTION fill() RETURNS void LANGUAGE plpgsql AS 'BEGIN UPDATE orders SET amount = 1; "
     "END'",
     "update-without-where", ""},
    {"FunctionsThatCallOneAnother",
     "CREATE PROCEDURE a() LANGUAGE plpgsql AS 'BEGIN CALL b(); CALL b(); END';"
     "CREATE PROCEDURE b() LANGUAGE plpgsql AS 'BEGIN CALL a(); CALL a(); TRUNCATE items; END';"
     "CALL a()",
     "truncate", "error"},
    {"SetvalToOne", "SELECT setval('ticket', 1, false)", "sequence-restart", "warning"},
    {"SetvalLookedUp", "SELECT setval('ticket', (SELECT max(id) FROM orders))", "sequence-restart",
     ""},
    {"RestartHigh", "ALTER SEQUENCE ticket RESTART WITH 5000000", "sequence-restart", ""},
    {"IdentityFromOne", "ALTER TABLE orders ALTER id ADD GENERATED BY DEFAULT AS IDENTITY",
     "sequence-restart", "warning"},
    {"IdentityFromHigh",
     "ALTER TABLE orders ALTER id ADD GENERATED BY DEFAULT AS IDENTITY (START WITH 100000)",
     "sequence-restart", ""},

    // Running clients.
    {"ColumnsSwapped",
     "ALTER TABLE orders RENAME amount TO amount_old; ALTER TABLE orders RENAME checked TO amount",
     "rename-column", "", kTransaction},
    {"ColumnsSwappedApart",
     "ALTER TABLE orders RENAME amount TO amount_old; ALTER TABLE orders RENAME checked TO amount",
     "rename-column", "error"},
    {"NewColumnRenamed", "ALTER TABLE orders ADD COLUMN a int; ALTER TABLE orders RENAME a TO b",
     "rename-column", ""},
    {"TableSwapped",
     "CREATE TABLE items_new (LIKE items); INSERT INTO items_new SELECT * FROM items; BEGIN;"
     "ALTER TABLE items RENAME TO items_old; ALTER TABLE items_new RENAME TO items; COMMIT",
     "rename-table", ""},
    {"TableSwappedForEmpty",
     "CREATE TABLE items_new (LIKE items); BEGIN; ALTER TABLE items RENAME TO items_old;"
     "ALTER TABLE items_new RENAME TO items; COMMIT",
     "rename-table", "error"},
    {"TableRenamedWithLateView",
     "ALTER TABLE items RENAME TO things; CREATE VIEW items AS SELECT * FROM things",
     "rename-table", "error"},
    {"RightOfNewTable", "CREATE TABLE n (id int); REVOKE ALL ON n FROM pg_monitor",
     "revoke-privilege", ""},
    {"RightOnFunctionFromPublic", "REVOKE EXECUTE ON FUNCTION next_number() FROM PUBLIC",
     "revoke-privilege", "warning"},
    {"RightOnNewFunctionFromPublic",
     "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
     "REVOKE ALL ON FUNCTION f() FROM PUBLIC",
     "revoke-privilege", ""},
    {"RightOnTableFromPublic", "REVOKE ALL ON orders FROM PUBLIC", "revoke-privilege", ""},
    {"CreateOnSchema", "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "revoke-privilege", ""},
    {"MembershipTaken", "REVOKE pg_monitor FROM shop", "revoke-privilege", "warning"},
    {"RightGrantedLaterInAnotherTransaction",
     "REVOKE ALL ON orders FROM shop; GRANT SELECT ON orders TO shop", "revoke-privilege",
     "warning"},
    {"ViewThroughAlterTable", "ALTER TABLE order_totals RENAME TO totals", "rename-view",
     "warning"},
    {"ViewThroughAlterTableIsNoTable", "ALTER TABLE order_totals RENAME TO totals", "rename-table",
     ""},
    {"ConstraintRenamed", "ALTER TABLE orders RENAME CONSTRAINT orders_pkey TO p", "rename-table",
     ""},
    {"TypeReplaced",
     "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('sad', 'ok', 'great')",
     "rename-type", "", kTransaction},
    {"ColumnNullableInUnknownTable", "ALTER TABLE others ALTER a DROP NOT NULL", "drop-not-null",
     "note"},
    {"DefaultAddedAndDropped",
     "ALTER TABLE orders ADD COLUMN a int NOT NULL DEFAULT 0;"
     "ALTER TABLE orders ALTER a DROP DEFAULT",
     "drop-default", "warning"},
    {"DefaultOfUnknownTable", "ALTER TABLE others ALTER a DROP DEFAULT", "drop-default", "note"},
    {"DefaultForIdentity",
     "ALTER TABLE orders ALTER status DROP DEFAULT;"
     "ALTER TABLE orders ALTER status ADD GENERATED BY DEFAULT AS IDENTITY",
     "drop-default", "", kTransaction},
    {"ForeignKeyDropped", "ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey",
     "drop-constraint", "note"},
    {"UniqueOfUnknownTable", "ALTER TABLE others DROP CONSTRAINT others_a_key", "drop-constraint",
     "warning"},
    {"KeyOfUnknownTable", "ALTER TABLE others DROP CONSTRAINT others_pkey", "drop-primary-key",
     "error"},
    {"KeyColumnDropped", "ALTER TABLE sessions DROP COLUMN id", "drop-primary-key", "error"},
    {"RowSecurityOnUnknownTable", "ALTER TABLE others ENABLE ROW LEVEL SECURITY",
     "enable-rls-without-policy", "warning"},
    {"RowSecurityThenPolicyApart",
     "ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON orders USING (true)",
     "enable-rls-without-policy", "error"},
    {"RowSecurityThenPolicy",
     "ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON orders USING (true)",
     "enable-rls-without-policy", "", kTransaction},
    {"AllTablesPublished", "CREATE PUBLICATION p FOR ALL TABLES", "replication", "error"},
    {"OnlyInsertsPublished", "CREATE PUBLICATION p FOR TABLE items WITH (publish = 'insert')",
     "replication", ""},
    {"IdentityGivenBefore",
     "ALTER TABLE items REPLICA IDENTITY FULL; CREATE PUBLICATION p FOR TABLE items", "replication",
     ""},

    // Locks.
    {"LockOutside", "LOCK TABLE orders", "lock-table", "error"},
    {"LockNoWait", "BEGIN; LOCK TABLE orders NOWAIT; COMMIT", "lock-table", ""},
    {"LockForReaders", "BEGIN; LOCK TABLE orders IN ACCESS SHARE MODE; COMMIT", "lock-table", ""},
    {"TriggersOfNewTable", "CREATE TABLE n (a int); ALTER TABLE n DISABLE TRIGGER ALL",
     "disable-trigger-all", ""},
    {"OneTrigger", "ALTER TABLE orders DISABLE TRIGGER audit", "disable-trigger-all", ""},
    {"UserTriggers", "ALTER TABLE orders DISABLE TRIGGER USER", "disable-trigger-all", "warning"},
    {"KeylessDefaultIdentity", "ALTER TABLE items REPLICA IDENTITY DEFAULT", "replica-identity",
     "warning"},
};

INSTANTIATE_TEST_SUITE_P(Forms, LintStatement, ::testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

TEST(LintOverFiles, UseBeforeALaterFileMakesIt) {
  File first;
  first.name = "1.sql";
  first.text = "ALTER TABLE a ADD COLUMN b int;";
  File second;
  second.name = "2.sql";
  second.text = "CREATE TABLE a (id bigint);";
  const Result result = Lint({first, second}, Options{});
  const auto found = std::ranges::find(result.findings, "wrong-order", &Finding::rule);
  ASSERT_NE(found, result.findings.end());
  EXPECT_EQ(found->file, 0);
}

}  // namespace
}  // namespace pgalter::lint
