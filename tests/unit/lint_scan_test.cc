// The rules of scans and index builds under a lock: which forms they find, which they leave alone,
// and how they mend them.
#include <gmock/gmock.h>

#include "tests/support/lint_verdict.h"

namespace pgalter::lint {
namespace {

using test::FoundCase;
using test::SilentCase;

class ScanFound : public ::testing::TestWithParam<FoundCase> {};

TEST_P(ScanFound, SaysSo) {
  const auto findings =
      test::FindingsOn(GetParam().sql, test::ForVersion(GetParam().server_version));
  EXPECT_EQ(test::VerdictOf(findings, GetParam().rule), GetParam().severity)
      << test::Complaints(findings);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, ScanFound,
    ::testing::ValuesIn(std::vector<FoundCase>{
        {"UniqueIndex", "CREATE UNIQUE INDEX i ON customers (email);",
         "create-index-non-concurrent", "error"},
        {"IndexOnUnknownTable", "CREATE INDEX i ON nowhere (x);", "create-index-non-concurrent",
         "error"},
        {"IndexOnPartitioned", "CREATE INDEX i ON events (body);", "create-index-non-concurrent",
         "error"},
        {"IndexOnColumnJustAdded",
         "ALTER TABLE orders ADD COLUMN x int; CREATE INDEX i ON orders (x);",
         "create-index-non-concurrent", "error"},
        {"IndexInDoBlock", "DO $$ BEGIN EXECUTE 'CREATE INDEX i ON orders (amount)'; END $$;",
         "create-index-non-concurrent", "error"},
        {"DropIndexIfExists", "DROP INDEX IF EXISTS orders_status;", "drop-index-non-concurrent",
         "warning"},
        {"DropUnknownIndex", "DROP INDEX some_index;", "drop-index-non-concurrent", "warning"},
        {"ReindexIndex", "REINDEX INDEX orders_status;", "reindex-non-concurrent", "error"},
        {"ReindexUnknown", "REINDEX INDEX some_index;", "reindex-non-concurrent", "error"},
        {"ReindexSchema", "REINDEX SCHEMA public;", "reindex-non-concurrent", "error"},
        {"ConcurrentReindexOfPartitions", "REINDEX TABLE CONCURRENTLY events;",
         "reindex-non-concurrent", "warning"},
        {"ReindexDatabase", "REINDEX (VERBOSE) DATABASE shop;", "reindex-non-concurrent", "error"},
        {"RefreshUnknown", "REFRESH MATERIALIZED VIEW some_view;", "refresh-matview-blocking",
         "error"},
        {"RefreshEmpty", "REFRESH MATERIALIZED VIEW order_days WITH NO DATA;",
         "refresh-matview-blocking", "error"},
        {"ForeignKeyUnnamed",
         "ALTER TABLE items ADD FOREIGN KEY (order_id) REFERENCES orders (id);",
         "add-fk-without-not-valid", "error"},
        {"ForeignKeyWithDefault",
         "ALTER TABLE items ADD COLUMN customer_id bigint DEFAULT 1 REFERENCES customers;",
         "add-fk-without-not-valid", "error"},
        {"ForeignKeyToNewTable",
         "CREATE TABLE kinds (id bigint PRIMARY KEY);"
         "ALTER TABLE items ADD FOREIGN KEY (order_id) REFERENCES kinds;",
         "add-fk-without-not-valid", "error"},
        {"ForeignKeyOfPartitioned",
         "ALTER TABLE events ADD FOREIGN KEY (id) REFERENCES orders (id);",
         "add-fk-without-not-valid", "error"},
        {"CheckAtNewColumn", "ALTER TABLE orders ADD COLUMN x int CHECK (x > 0);",
         "add-check-without-not-valid", "error"},
        {"CheckAtNewColumnWithDefault",
         "ALTER TABLE orders ADD COLUMN x int DEFAULT 1 CHECK (x > 0);",
         "add-check-without-not-valid", "error"},
        {"UniqueAtNewColumn", "ALTER TABLE orders ADD COLUMN x int UNIQUE;",
         "add-unique-constraint", "error"},
        {"UniqueUnnamed", "ALTER TABLE customers ADD UNIQUE (email, name);",
         "add-unique-constraint", "error"},
        {"KeyOverIndexThatMayHoldNull",
         "CREATE UNIQUE INDEX CONCURRENTLY k ON items (order_id);"
         "ALTER TABLE items ADD PRIMARY KEY USING INDEX k;",
         "add-primary-key", "error"},
        {"SeveralColumnsNotNull",
         "ALTER TABLE orders ALTER COLUMN amount SET NOT NULL, ALTER COLUMN payload SET NOT NULL;",
         "set-not-null", "error"},
        {"CheckNotValid",
         "ALTER TABLE orders ADD CONSTRAINT c CHECK (amount IS NOT NULL) NOT VALID;"
         "ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;",
         "set-not-null", "error"},
        {"CheckOfTheValue",
         "ALTER TABLE orders ADD CONSTRAINT c CHECK (amount > 0) NOT VALID;"
         "ALTER TABLE orders VALIDATE CONSTRAINT c;"
         "ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;",
         "set-not-null", "error"},
        {"CheckOfAnotherColumn",
         "ALTER TABLE orders ADD CONSTRAINT c CHECK (payload IS NOT NULL) NOT VALID;"
         "ALTER TABLE orders VALIDATE CONSTRAINT c;"
         "ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;",
         "set-not-null", "error"},
        {"CheckDroppedAtOnce",
         "ALTER TABLE orders ADD CONSTRAINT c CHECK (amount IS NOT NULL) NOT VALID;"
         "ALTER TABLE orders VALIDATE CONSTRAINT c;"
         "ALTER TABLE orders ALTER COLUMN amount SET NOT NULL, DROP CONSTRAINT c;",
         "set-not-null", "error"},
        {"NotNullOfUnknownTable", "ALTER TABLE nowhere ALTER COLUMN x SET NOT NULL;",
         "set-not-null", "warning"},
        {"NotNullConstraint18", "ALTER TABLE orders ADD CONSTRAINT n NOT NULL amount;",
         "set-not-null", "error", 18},
        {"DomainNotNull", "ALTER DOMAIN plain_number SET NOT NULL;", "domain-constraint", ""},
        {"DomainValidate",
         "ALTER DOMAIN positive ADD CONSTRAINT c CHECK (VALUE < 9999) NOT VALID;"
         "ALTER DOMAIN positive VALIDATE CONSTRAINT c;",
         "domain-constraint", "error"},
        {"DomainUnknown", "ALTER DOMAIN some_domain ADD CHECK (VALUE > 0);", "domain-constraint",
         "warning"},
        {"AttachBesideDefault",
         "CREATE TABLE logs_2027 (LIKE logs INCLUDING ALL);"
         "ALTER TABLE logs ATTACH PARTITION logs_2027"
         " FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');",
         "attach-partition", "error"},
        {"PartitionWithoutDefault",
         "CREATE TABLE events_2027 PARTITION OF events"
         " FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');",
         "create-partition-of", "note"},
        {"DetachInTransaction", "BEGIN; ALTER TABLE events DETACH PARTITION events_2024; COMMIT;",
         "detach-partition", "warning"},
        {"ValidateForeignKeyInSameTransaction",
         "BEGIN; ALTER TABLE items ADD CONSTRAINT f FOREIGN KEY (order_id) REFERENCES orders NOT "
         "VALID; ALTER TABLE items VALIDATE CONSTRAINT f; COMMIT;",
         "validate-in-same-tx", "error"},
    }),
    test::CaseName<FoundCase>);

class ScanSilent : public ::testing::TestWithParam<SilentCase> {};

TEST_P(ScanSilent, SaysNothing) {
  EXPECT_EQ(test::Complaints(
                test::FindingsOn(GetParam().sql, test::ForVersion(GetParam().server_version))),
            "");
}

INSTANTIATE_TEST_SUITE_P(
    Forms, ScanSilent,
    ::testing::ValuesIn(std::vector<SilentCase>{
        {"NewTable",
         "CREATE TABLE t (id bigint, o bigint, r tsrange);"
         "CREATE INDEX t_o ON t (o); ALTER TABLE ONLY t ADD CONSTRAINT t_pkey PRIMARY KEY (id);"
         "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (o) REFERENCES orders (id);"
         "ALTER TABLE t ADD CHECK (o > 0); ALTER TABLE t ADD UNIQUE (o);"
         "ALTER TABLE t ADD EXCLUDE USING gist (r WITH &&);"
         "ALTER TABLE t ALTER COLUMN o SET NOT NULL; REINDEX TABLE t; DROP INDEX t_o;"},
        {"NewTableInTransaction",
         "BEGIN; CREATE TABLE t (id bigint PRIMARY KEY, o bigint);"
         "CREATE INDEX t_o ON t (o);"
         "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (o) REFERENCES orders (id); COMMIT;"},
        {"NewTableWithForeignKey",
         "CREATE TABLE t (id bigint PRIMARY KEY, o bigint REFERENCES orders);"},
        {"NewView",
         "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a WITH NO DATA;"
         "CREATE UNIQUE INDEX v_a ON v (a); REFRESH MATERIALIZED VIEW v;"},
        {"OnlyThePartitioned", "CREATE INDEX i ON ONLY events (body);"},
        {"ConcurrentIfNotExists", "CREATE INDEX CONCURRENTLY i ON orders (amount);"},
        {"ConcurrentReindexAsOption", "REINDEX (CONCURRENTLY) TABLE orders;"},
        {"ForeignKeyNotValid",
         "ALTER TABLE items ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID;"},
        {"ForeignKeyAtNewColumn",
         "ALTER TABLE items ADD COLUMN customer_id bigint REFERENCES customers (id);"},
        {"ForeignKeyNotEnforced",
         "ALTER TABLE items ADD CONSTRAINT f FOREIGN KEY (order_id) REFERENCES orders NOT "
         "ENFORCED;",
         18},
        {"CheckNotEnforced", "ALTER TABLE orders ADD CONSTRAINT c CHECK (amount > 0) NOT ENFORCED;",
         18},
        {"NotNullAlready", "ALTER TABLE orders ALTER COLUMN status SET NOT NULL;"},
        {"NotNullOfKey", "ALTER TABLE orders ALTER COLUMN id SET NOT NULL;"},
        {"NotNullProvedWithMore",
         "ALTER TABLE orders ADD CONSTRAINT c CHECK (amount IS NOT NULL AND amount > 0) NOT VALID;"
         "ALTER TABLE orders VALIDATE CONSTRAINT c;"
         "ALTER TABLE orders ALTER COLUMN amount SET NOT NULL;"},
        {"NotNullNotValid18",
         "ALTER TABLE orders ADD CONSTRAINT n NOT NULL amount NOT VALID;"
         "ALTER TABLE orders VALIDATE CONSTRAINT n;",
         18},
        {"DomainNotValid", "ALTER DOMAIN positive ADD CONSTRAINT c CHECK (VALUE < 9) NOT VALID;"},
        {"DomainThatNobodyUses", "ALTER DOMAIN plain_number ADD CONSTRAINT c CHECK (VALUE > 0);"},
        {"DomainMadeHere", "CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CHECK (VALUE > 0);"},
        {"DomainDefault", "ALTER DOMAIN positive SET DEFAULT 3;"},
        {"AttachNewPartition",
         "CREATE TABLE events_2027 (LIKE events INCLUDING ALL);"
         "ALTER TABLE events ATTACH PARTITION events_2027"
         " FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');"},
        {"PartitionOfNewTable",
         "CREATE TABLE p (id int) PARTITION BY RANGE (id);"
         "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9);"
         "CREATE TABLE pd PARTITION OF p DEFAULT;"},
        {"DetachConcurrently", "ALTER TABLE events DETACH PARTITION events_2024 CONCURRENTLY;"},
        {"ValidateInItsOwnTransaction",
         "BEGIN; ALTER TABLE items ADD CONSTRAINT f FOREIGN KEY (order_id) REFERENCES orders NOT "
         "VALID; COMMIT; BEGIN; ALTER TABLE items VALIDATE CONSTRAINT f; COMMIT;"},
    }),
    test::CaseName<SilentCase>);

struct FixCase {
  std::string name;
  std::string rule;
  std::string before;
  std::string after;
};

class ScanFix : public ::testing::TestWithParam<FixCase> {};

TEST_P(ScanFix, Mends) {
  EXPECT_EQ(test::Fixed(GetParam().before, GetParam().rule), GetParam().after);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, ScanFix,
    ::testing::ValuesIn(std::vector<FixCase>{
        {"Index", "create-index-non-concurrent", "CREATE UNIQUE INDEX i ON orders (amount);",
         "CREATE UNIQUE INDEX CONCURRENTLY i ON orders (amount);"},
        {"IndexInTransaction", "create-index-non-concurrent",
         "BEGIN; CREATE INDEX i ON orders (amount); COMMIT;",
         "BEGIN; CREATE INDEX i ON orders (amount); COMMIT;"},
        {"DropIndex", "drop-index-non-concurrent", "drop index if exists orders_status;",
         "drop index CONCURRENTLY if exists orders_status;"},
        {"DropSeveralIndexes", "drop-index-non-concurrent",
         "DROP INDEX orders_status, orders_open;", "DROP INDEX orders_status, orders_open;"},
        {"Reindex", "reindex-non-concurrent", "REINDEX (VERBOSE) TABLE orders;",
         "REINDEX (VERBOSE) TABLE CONCURRENTLY orders;"},
        {"Refresh", "refresh-matview-blocking", "REFRESH MATERIALIZED VIEW order_days;",
         "REFRESH MATERIALIZED VIEW CONCURRENTLY order_days;"},
        {"Detach", "detach-partition", "ALTER TABLE events DETACH PARTITION events_2024;",
         "ALTER TABLE events DETACH PARTITION events_2024 CONCURRENTLY;"},
        {"DetachBesideDefault", "detach-partition", "ALTER TABLE logs DETACH PARTITION logs_2025;",
         "ALTER TABLE logs DETACH PARTITION logs_2025;"},
        {"ForeignKey", "add-fk-without-not-valid",
         "ALTER TABLE items ADD CONSTRAINT f FOREIGN KEY (order_id) REFERENCES orders;",
         "ALTER TABLE items ADD CONSTRAINT f FOREIGN KEY (order_id) REFERENCES orders NOT VALID;\n"
         "ALTER TABLE items VALIDATE CONSTRAINT f;"},
        {"CheckWithoutName", "add-check-without-not-valid",
         "ALTER TABLE orders ADD CHECK (amount > 0);",
         "ALTER TABLE orders ADD CHECK (amount > 0);"},
        {"Check", "add-check-without-not-valid",
         "ALTER TABLE public.orders ADD CONSTRAINT c CHECK (amount > 0);",
         "ALTER TABLE public.orders ADD CONSTRAINT c CHECK (amount > 0) NOT VALID;\n"
         "ALTER TABLE public.orders VALIDATE CONSTRAINT c;"},
        {"Unique", "add-unique-constraint",
         "ALTER TABLE customers ADD CONSTRAINT mail UNIQUE (email, name);",
         "CREATE UNIQUE INDEX CONCURRENTLY mail ON customers (email, name);\n"
         "ALTER TABLE customers ADD CONSTRAINT mail UNIQUE USING INDEX mail;"},
    }),
    test::CaseName<FixCase>);

TEST(ScanRules, CallASmallTableANote) {
  catalog::Schema schema;
  lint::File file;
  file.text = "CREATE INDEX i ON tiny (x);";
  catalog::Table tiny;
  tiny.name = {"public", "tiny"};
  tiny.rows = 300;
  schema.Add(tiny);
  const auto findings = Lint({file}, {}, schema).findings;
  EXPECT_EQ(test::VerdictOf(findings, "create-index-non-concurrent"), "note");
}

}  // namespace
}  // namespace pgalter::lint
