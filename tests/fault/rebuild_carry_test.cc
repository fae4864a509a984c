// What hangs on a table is there again after it was rebuilt: the dump says the same as before, or
// as after the plain ALTER TABLE.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <array>

#include "tests/fault/rebuild_world.h"
#include "tests/fault/schema_dump.h"

namespace pgalter::test {
namespace {

constexpr const char* kRich = R"sql(
CREATE ROLE carry_reader; CREATE ROLE carry_writer;
CREATE SCHEMA app; CREATE SCHEMA other;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE DOMAIN app.percent AS int CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE app.mood AS ENUM ('sad', 'ok');
CREATE TABLE app.kind (id int PRIMARY KEY, name text);
INSERT INTO app.kind SELECT g, 'k' || g FROM generate_series(1, 10) g;
CREATE TABLE app."Order Items" (
  id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 3),
  n serial,
  kind int NOT NULL REFERENCES app.kind ON DELETE CASCADE,
  parent bigint,
  "Name" text COLLATE "C" NOT NULL DEFAULT 'none',
  price numeric(10,2) CHECK (price >= 0),
  twice numeric GENERATED ALWAYS AS (price * 2) STORED,
  share app.percent DEFAULT 5,
  mood app.mood DEFAULT 'ok',
  tags text[] DEFAULT '{}',
  made timestamptz NOT NULL DEFAULT now(),
  span tsrange,
  doc jsonb,
  gone int,
  PRIMARY KEY (id),
  CONSTRAINT n_once UNIQUE (n) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT no_overlap EXCLUDE USING gist (span WITH &&),
  CONSTRAINT named CHECK ("Name" <> '')
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_enabled = false);
ALTER TABLE app."Order Items" DROP COLUMN gone;
ALTER TABLE app."Order Items" ADD CONSTRAINT self FOREIGN KEY (parent) REFERENCES app."Order Items";
INSERT INTO app."Order Items" (kind, price, doc) SELECT 1 + g % 10, g, '{"a": 1}' FROM
  generate_series(1, 2000) g;
ALTER TABLE app."Order Items" ADD CONSTRAINT later CHECK (price < 1000) NOT VALID;
ALTER TABLE app."Order Items" ALTER doc SET STORAGE EXTERNAL, ALTER doc SET COMPRESSION pglz,
  ALTER price SET STATISTICS 55, ALTER price SET (n_distinct = 100);
CREATE INDEX by_kind ON app."Order Items" (kind, price DESC NULLS LAST) INCLUDE ("Name")
  WHERE price > 10;
CREATE INDEX "Odd Index" ON app."Order Items" USING gin (tags) WITH (fastupdate = off);
CREATE INDEX ON app."Order Items" (lower("Name") text_pattern_ops);
ALTER INDEX app."Order Items_lower_idx" ALTER COLUMN 1 SET STATISTICS 77;
CREATE UNIQUE INDEX ident ON app."Order Items" (n, id);
ALTER TABLE app."Order Items" CLUSTER ON by_made_not_there;
)sql";

constexpr const char* kRest = R"sql(
CREATE INDEX by_made ON app."Order Items" (made);
ALTER TABLE app."Order Items" CLUSTER ON by_made;
ALTER TABLE app."Order Items" REPLICA IDENTITY USING INDEX ident;
CREATE TABLE other.line (item bigint REFERENCES app."Order Items" ON UPDATE CASCADE, note text);
INSERT INTO other.line SELECT id FROM app."Order Items" LIMIT 100;
CREATE TABLE other.line_unproven (item bigint);
INSERT INTO other.line_unproven VALUES (-1);
ALTER TABLE other.line_unproven ADD CONSTRAINT unproven FOREIGN KEY (item)
  REFERENCES app."Order Items" NOT VALID;
CREATE TRIGGER touched BEFORE UPDATE OF price ON app."Order Items" FOR EACH ROW
  WHEN (old.price IS DISTINCT FROM new.price) EXECUTE FUNCTION app.touch();
CREATE TRIGGER off AFTER INSERT ON app."Order Items" FOR EACH STATEMENT EXECUTE FUNCTION app.touch();
ALTER TABLE app."Order Items" DISABLE TRIGGER off;
CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON app."Order Items" DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app."Order Items" ENABLE ALWAYS TRIGGER checked;
CREATE RULE quiet AS ON DELETE TO app."Order Items" WHERE old.id = 1 DO INSTEAD NOTHING;
ALTER TABLE app."Order Items" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app."Order Items" FOR SELECT TO carry_reader USING ("Name" = current_user);
CREATE POLICY strict ON app."Order Items" AS RESTRICTIVE FOR UPDATE USING (price > 0) WITH CHECK
  (price < 5000);
GRANT SELECT ON app."Order Items" TO carry_reader WITH GRANT OPTION;
GRANT INSERT, UPDATE (price) ON app."Order Items" TO carry_writer;
GRANT SELECT ON app."Order Items" TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO carry_writer;
REVOKE ALL ON SEQUENCE app."Order Items_id_seq" FROM carry_writer;
GRANT USAGE ON SEQUENCE app."Order Items_id_seq" TO carry_reader WITH GRANT OPTION;
GRANT SELECT ON SEQUENCE app."Order Items_id_seq" TO PUBLIC;
COMMENT ON SEQUENCE app."Order Items_id_seq" IS 'its numbers';
COMMENT ON CONSTRAINT self ON app."Order Items" IS 'its own';
COMMENT ON CONSTRAINT line_item_fkey ON other.line IS 'another''s';
CREATE VIEW app.cheap WITH (security_barrier = true) AS SELECT id, "Name", price FROM
  app."Order Items" WHERE price < 10 WITH LOCAL CHECK OPTION;
GRANT SELECT ON app.cheap TO carry_reader;
CREATE VIEW other.cheapest AS SELECT min(price) AS least FROM app.cheap;
CREATE STATISTICS app.both (dependencies, mcv) ON kind, price FROM app."Order Items";
ALTER STATISTICS app.both SET STATISTICS 77;
ALTER STATISTICS app.both OWNER TO carry_writer;
COMMENT ON STATISTICS app.both IS 'both';
COMMENT ON RULE quiet ON app."Order Items" IS 'hush';
CREATE PUBLICATION part FOR TABLE app."Order Items" (id, n, price) WHERE (id > 10);
COMMENT ON TABLE app."Order Items" IS 'a table; with ''quotes''';
COMMENT ON COLUMN app."Order Items".price IS 'in euros';
COMMENT ON CONSTRAINT named ON app."Order Items" IS 'never empty';
COMMENT ON CONSTRAINT n_once ON app."Order Items" IS 'once';
COMMENT ON INDEX app.by_kind IS 'for the list';
COMMENT ON TRIGGER touched ON app."Order Items" IS 'touches';
COMMENT ON POLICY own ON app."Order Items" IS 'mine';
)sql";

class Carried : public RebuildWorld {
 protected:
  static void MakeRich(const FreshDatabase& database) {
    std::string rich = kRich;
    const std::string misleading =
        "ALTER TABLE app.\"Order Items\" CLUSTER ON by_made_not_there;\n";
    rich.erase(rich.find(misleading), misleading.size());
    const std::string roles = "CREATE ROLE carry_reader; CREATE ROLE carry_writer;";
    if (database.Value("SELECT count(*) FROM pg_roles WHERE rolname = 'carry_reader'") != "0")
      rich.erase(rich.find(roles), roles.size());
    database.Sql(rich);
    std::string rest = kRest;
    // PostgreSQL 14 publishes all columns and rows of a table, or none.
    constexpr int kColumnLists = 150000;
    const std::string some = " (id, n, price) WHERE (id > 10)";
    if (std::stoi(database.Value("SHOW server_version_num")) < kColumnLists)
      rest.erase(rest.find(some), some.size());
    database.Sql(rest);
  }

  void ExpectRebuilt(const Words& more) {
    Words words{"rebuild", "app.\"Order Items\"", "--yes"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = Run(words);
    ASSERT_EQ(ran.code, 0) << ran.err;
    ExpectNothingLeft();
  }
};

TEST_F(Carried, IndexesStayInTheirTablespaces) {
  if (Number("SELECT count(*) FROM pg_tablespace WHERE spcname = 'carry Space'") == 0) {
    Session session = database_.Connect();
    session.Exec("SET allow_in_place_tablespaces = on");
    session.Exec("CREATE TABLESPACE \"carry Space\" LOCATION ''");
  }
  MakeRebuilt(1'000);
  database_.Sql(
      "ALTER INDEX items_pkey SET TABLESPACE \"carry Space\";"
      "CREATE INDEX apart ON items (a) TABLESPACE \"carry Space\" WHERE a > 5;"
      "CREATE INDEX near ON items (a)");
  ASSERT_EQ(Run(Rebuild()).code, 0);
  EXPECT_EQ(database_.Value("SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes "
                            "WHERE tablename = 'items' AND schemaname = 'public' AND tablespace = "
                            "'carry Space'"),
            "apart items_pkey");
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
}

// A full disk elsewhere is not to stop who writes this table.
TEST_F(Carried, TheLogLiesBesideTheTable) {
  if (Number("SELECT count(*) FROM pg_tablespace WHERE spcname = 'carry Space'") == 0) {
    Session session = database_.Connect();
    session.Exec("SET allow_in_place_tablespaces = on");
    session.Exec("CREATE TABLESPACE \"carry Space\" LOCATION ''");
  }
  MakeRebuilt(1'000);
  database_.Sql("ALTER TABLE items SET TABLESPACE \"carry Space\"");
  ASSERT_EQ(Run(Rebuild()).code, 0);
  // Of the way back: the log and the dirty keys with an index each, and the mark of a crash.
  EXPECT_EQ(Number("SELECT count(*) FROM pg_class c JOIN pg_tablespace s ON s.oid = reltablespace "
                   "WHERE spcname = 'carry Space' AND relname LIKE ANY "
                   "('{log\\_reverse%,dirty\\_reverse%,alive\\_reverse%}')"),
            5);
  ASSERT_EQ(Run({"finish", RunId(), "--yes"}).code, 0);
}

// Of its identity each swap leaves out a hundred numbers, the connections that a sandbox takes.
TEST_F(Carried, EverythingThatHangsOnATable) {
  MakeRich(database_);
  const auto before = Dump(database_);
  ExpectRebuilt({});
  EXPECT_THAT(Difference(before, Dump(database_)), ::testing::IsEmpty());
  EXPECT_EQ(database_.Value("INSERT INTO app.\"Order Items\" (kind, price) VALUES (1, 1) RETURNING "
                            "id || ' ' || n"),
            "6400 2001");
}

TEST_F(Carried, AnIdentityGrowsWithItsColumnAndASerialIsTold) {
  constexpr const char* kIdentities =
      "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
      " small smallint GENERATED BY DEFAULT AS IDENTITY (START 5 MAXVALUE 100), s serial, big "
      "bigint"
      " GENERATED BY DEFAULT AS IDENTITY); INSERT INTO t DEFAULT VALUES; COMMENT ON COLUMN t.id IS "
      "'it'";
  const FreshDatabase plain;
  for (const FreshDatabase* database : std::array<const FreshDatabase*, 2>{&database_, &plain})
    database->Sql(kIdentities);
  ASSERT_EQ(Run({"rebuild", "t", "--yes"}).code, 0);
  ExpectNothingLeft();
  EXPECT_THAT(Difference(Dump(plain), Dump(database_)), ::testing::IsEmpty());
  constexpr const char* kAlter = "ALTER id TYPE bigint, ALTER small TYPE int, ALTER s TYPE bigint";
  const Ran ran = Run({"rebuild", "t", "--alter", kAlter, "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, ::testing::HasSubstr("sequence public.t_s_seq of column s still ends at "
                                            "2147483647"));
  ExpectNothingLeft();
  plain.Sql(std::string("ALTER TABLE t ") + kAlter);
  EXPECT_THAT(Difference(Dump(plain), Dump(database_)), ::testing::IsEmpty());
  database_.Sql("SELECT setval('t_id_seq', 2147483647)");
  EXPECT_EQ(database_.Value("INSERT INTO t DEFAULT VALUES RETURNING id"), "2147483648");
}

TEST_F(Carried, AndBackAgain) {
  MakeRich(database_);
  database_.Sql("DROP PUBLICATION part");
  const auto before = Dump(database_);
  const Ran ran = Run({"rebuild", "app.\"Order Items\"", "--alter",
                       "ALTER n TYPE bigint, ADD COLUMN added int, DROP COLUMN tags", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  database_.Sql("INSERT INTO app.\"Order Items\" (kind, price) VALUES (1, 1)");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_THAT(Difference(before, Dump(database_)), ::testing::IsEmpty());
  EXPECT_EQ(database_.Value("INSERT INTO app.\"Order Items\" (kind, price) VALUES (1, 1) RETURNING "
                            "id || ' ' || n"),
            "6703 2002");
}

TEST_F(Carried, WhatDependsOnAnExtensionStillDoes) {
  MakeRebuilt(10);
  database_.Sql(
      "CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore;"
      "CREATE INDEX near ON items (a); ALTER INDEX near DEPENDS ON EXTENSION citext;"
      "ALTER TRIGGER mirrored ON items DEPENDS ON EXTENSION hstore");
  const auto dependent = [this] {
    return database_.Value(
        "SELECT string_agg(format('%s on %s', pg_describe_object(classid, objid, 0), extname), '; "
        "' "
        "ORDER BY classid, extname) FROM pg_depend JOIN pg_extension e ON e.oid = refobjid WHERE "
        "deptype = 'x' AND refclassid = 'pg_extension'::regclass AND NOT "
        "pg_describe_object(classid, objid, 0) LIKE '%pgalter%'");
  };
  const std::string before = dependent();
  EXPECT_EQ(before, "index near on citext; trigger mirrored on table items on hstore");
  ASSERT_EQ(Run(Rebuild()).code, 0);
  EXPECT_EQ(dependent(), before);
  database_.Sql(
      "ALTER INDEX near NO DEPENDS ON EXTENSION citext; ALTER INDEX near DEPENDS ON "
      "EXTENSION hstore");
  const std::string since = dependent();
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(dependent(), since);
}

// A right that the owner has taken from itself, and one that it has given itself again since.
TEST_F(Carried, WhatTheOwnerHasTakenFromItselfStaysTaken) {
  MakeRebuilt(10);
  const char* const rights = "SELECT relacl FROM pg_class WHERE oid = 'items'::regclass";
  database_.Sql("REVOKE INSERT, TRUNCATE ON items FROM CURRENT_USER");
  const std::string before = database_.Value(rights);
  ASSERT_EQ(Run({"rebuild", "items", "--yes"}).code, 0);
  EXPECT_EQ(database_.Value(rights), before);
  database_.Sql("GRANT INSERT ON items TO CURRENT_USER; REVOKE UPDATE ON items FROM CURRENT_USER");
  const std::string since = database_.Value(rights);
  EXPECT_NE(since, before);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value(rights), since);
}

// Comment and statistics of a column go with it, whatever it is called then; what the new
// definition says itself stays.
TEST_F(Carried, AColumnOfAnotherNameKeepsItsSettings) {
  MakeRebuilt(10);
  database_.Sql(
      "COMMENT ON COLUMN items.id IS 'key'; COMMENT ON COLUMN items.a IS 'first'; ALTER TABLE "
      "items "
      "ALTER a SET STATISTICS 7, ALTER a SET (n_distinct = 5)");
  const auto settings = [this] {
    return database_.Value(
        "SELECT string_agg(concat_ws(' ', attname, col_description(attrelid, attnum), "
        "nullif((to_jsonb(a)->>'attstattarget')::int, -1), (SELECT string_agg(o, ' ') FROM "
        "unnest(attoptions) o WHERE o NOT LIKE 'pg_attver=%')), '; ' ORDER BY attname) "
        "FROM pg_attribute a WHERE attrelid = 'items'::regclass AND attname IN ('a', 'b', 'id', "
        "'nr')");
  };
  const std::string file =
      File("CREATE TABLE items (nr bigint PRIMARY KEY, b int NOT NULL, u int, pad text, big text)");
  const Ran defined = Run({"rebuild", "items", "--definition", file, "--map", "nr = id", "--map",
                           "b = a", "--allow-weaker-keys", "--yes"});
  ASSERT_EQ(defined.code, 0) << defined.err;
  EXPECT_EQ(settings(), "b first 7 n_distinct=5; nr key");
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(settings(), "a first 7 n_distinct=5; id key");
  const Ran altered = Run({"rebuild", "items", "--alter", "ADD COLUMN b int, DROP COLUMN a",
                           "--map", "b = a", "--yes"});
  ASSERT_EQ(altered.code, 0) << altered.err;
  EXPECT_EQ(settings(), "b first 7 n_distinct=5; id key");
}

// DDL of others that is about no value: what they say of a table's parts, and which CHECK they have
// validated, on the table that leaves, there and back.
constexpr const char* kSaid = R"sql(
CREATE TABLE said (id int PRIMARY KEY, v int, w int, x int, CONSTRAINT positive CHECK (v > 0),
  CONSTRAINT later CHECK (v < 1000), CONSTRAINT once UNIQUE (v, w));
ALTER TABLE said DROP CONSTRAINT later;
INSERT INTO said SELECT g, g, g, g FROM generate_series(1, 500) g;
ALTER TABLE said ADD CONSTRAINT later CHECK (v < 1000) NOT VALID,
  ADD CONSTRAINT much_later CHECK (v < 2000) NOT VALID, ADD CONSTRAINT last CHECK (w > 0) NOT VALID;
CREATE INDEX by_w ON said (w);
COMMENT ON COLUMN said.v IS 'first';
COMMENT ON COLUMN said.x IS 'goes and comes';
COMMENT ON INDEX by_w IS 'quick';
COMMENT ON CONSTRAINT positive ON said IS 'more';
COMMENT ON CONSTRAINT last ON said IS 'not yet';
)sql";

class Said : public RebuildWorld {
 protected:
  void SetUp() override { Say(kSaid); }
  // On the one that is rebuilt, and on one that is not.
  void Say(const std::string& sql) const {
    database_.Sql(sql);
    plain_.Sql(sql);
  }
  void ExpectAsPlain() const {
    EXPECT_THAT(Difference(Dump(plain_), Dump(database_)), ::testing::IsEmpty());
  }
  const FreshDatabase plain_;
};

TEST_F(Said, MeanwhileComesAlong) {
  ASSERT_EQ(Run({"rebuild", "said", "--alter", "ALTER v TYPE bigint", "--yes"},
                {"PGALTER_FAIL_POINT=purged"})
                .code,
            kKilled);
  AwaitNoRunner();
  Say("COMMENT ON COLUMN said.v IS 'second'; COMMENT ON COLUMN said.x IS 'new'; COMMENT ON INDEX "
      "by_w IS NULL; COMMENT ON INDEX said_pkey IS 'of the key'; COMMENT ON CONSTRAINT positive ON "
      "said IS 'than nothing'; COMMENT ON CONSTRAINT once ON said IS 'only'; COMMENT ON CONSTRAINT "
      "later ON said IS 'now'; ALTER TABLE said VALIDATE CONSTRAINT later");
  const Ran resumed = Run({"resume", RunId()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  ExpectNothingLeft();
  plain_.Sql("ALTER TABLE said ALTER v TYPE bigint");
  ExpectAsPlain();
}

TEST_F(Said, AfterwardsGoesBackToo) {
  const Ran ran = Run({"rebuild", "said", "--alter",
                       "ALTER v TYPE bigint, DROP COLUMN x, ADD COLUMN x bigint", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(database_.Value("SELECT col_description('said'::regclass, attnum) FROM pg_attribute "
                            "WHERE attrelid = 'said'::regclass AND attname = 'x'"),
            "NULL");
  Say("COMMENT ON COLUMN said.v IS NULL; COMMENT ON COLUMN said.w IS 'here'; COMMENT ON INDEX by_w "
      "IS 'again'; COMMENT ON CONSTRAINT once ON said IS 'two'; COMMENT ON CONSTRAINT last ON said "
      "IS NULL; ALTER TABLE said VALIDATE CONSTRAINT much_later");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectAsPlain();
}

// A run of an older program has not kept how the table was.
TEST_F(Said, OfARunThatKnowsOfNoneStaysAsItWasMade) {
  const Ran ran = Run({"rebuild", "said", "--yes"}, {"PGALTER_FAIL_POINT=purged"});
  ASSERT_EQ(ran.code, kKilled);
  AwaitNoRunner();
  database_.Sql(
      "UPDATE pgalter.rebuild SET definition = jsonb_set(definition - 'noted', '{outline}', "
      "(SELECT jsonb_agg(o) FROM jsonb_array_elements_text(definition->'outline') o WHERE o NOT "
      "LIKE 'with identities%'))");
  const Ran resumed = Run({"resume", RunId()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  ASSERT_EQ(reverted.code, 0) << reverted.err;
  ExpectAsPlain();
}

// Its numbers go on in another sequence, which was made with the options of then.
TEST_F(Carried, AnIdentityThatIsAlteredMeanwhileStopsTheSwap) {
  database_.Sql(
      "CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int);"
      "INSERT INTO numbered (v) SELECT g FROM generate_series(1, 500) g");
  ASSERT_EQ(Run({"rebuild", "numbered", "--yes"}, {"PGALTER_FAIL_POINT=purged"}).code, kKilled);
  AwaitNoRunner();
  const char* const alter = "ALTER TABLE numbered ALTER id SET INCREMENT 10 SET CACHE 20 SET CYCLE";
  const char* const back = "ALTER TABLE numbered ALTER id SET INCREMENT 1 SET CACHE 1 SET NO CYCLE";
  constexpr auto kSays =
      "identity of id AS bigint START 1 INCREMENT 10 MINVALUE 1 MAXVALUE "
      "9223372036854775807 CACHE 20 CYCLE";
  database_.Sql(alter);
  const Ran refused = Run({"resume", RunId()});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, ::testing::HasSubstr(kSays));
  database_.Sql(back);
  ResumeToTheEnd();
  database_.Sql(alter);
  const Ran stays = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(stays.code, 4) << stays.err;
  EXPECT_THAT(stays.err, ::testing::HasSubstr(kSays));
  database_.Sql(back);
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
}

// Somebody has switched off what heeds foreign keys, on one side or on both.
class KeyTriggers : public RebuildWorld {
 protected:
  void SetUp() override {
    database_.Sql(
        "CREATE TABLE c (id int PRIMARY KEY, v int); CREATE TABLE d (id int PRIMARY KEY, c int "
        "CONSTRAINT of_c REFERENCES c, d int CONSTRAINT of_d REFERENCES d ON DELETE CASCADE);"
        "INSERT INTO c SELECT g, g FROM generate_series(1, 100) g;"
        "INSERT INTO d SELECT g, g, g FROM generate_series(1, 100) g");
  }
  [[nodiscard]] std::string States() const {
    return database_.Value(
        "SELECT string_agg(concat_ws(' ', f.conname, f.convalidated, t.tgrelid::regclass, "
        "t.tgfoid::regproc, t.tgenabled), '; ' ORDER BY f.conname, t.tgrelid::regclass::text, "
        "t.tgfoid) FROM pg_constraint f JOIN pg_trigger t ON t.tgconstraint = f.oid WHERE "
        "f.contype = 'f' AND f.connamespace = 'public'::regnamespace");
  }
};

TEST_F(KeyTriggers, StayOffWithTheTablesOfASuperuser) {
  database_.Sql(
      "ALTER TABLE d DISABLE TRIGGER ALL; DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE c ENABLE "
      "REPLICA TRIGGER %I', tgname) FROM pg_trigger WHERE tgrelid = 'c'::regclass AND tgfoid = "
      "'\"RI_FKey_noaction_del\"'::regproc); END $$");
  const std::string before = States();
  ASSERT_THAT(before, ::testing::HasSubstr(" D"));
  ASSERT_THAT(before, ::testing::HasSubstr(" R"));
  for (const char* table : {"d", "c"}) {
    SCOPED_TRACE(table);
    const Ran ran = Run({"rebuild", table, "--yes"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(States(), before);
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    ASSERT_EQ(reverted.code, 0) << reverted.err;
    EXPECT_EQ(States(), before);
  }
}

// Nothing has checked them, and nothing will.
TEST_F(KeyTriggers, RowsThatReferToNothingAreSaidAsTheyAre) {
  database_.Sql(
      "ALTER TABLE d DISABLE TRIGGER ALL; ALTER TABLE c DISABLE TRIGGER ALL; DELETE FROM c");
  const Ran ran = Run({"rebuild", "d", "--yes"});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, ::testing::HasSubstr("is not checked now either: its triggers are switched "
                                            "off, as they were"));
  EXPECT_THAT(ran.err, ::testing::Not(::testing::HasSubstr("from now on is checked")));
  database_.Sql("DELETE FROM d");
  EXPECT_EQ(Run({"resume", RunId()}).code, 0);
}

TEST_F(KeyTriggers, ThatAreOffAreRefusedToOthersBeforeTheCopy) {
  database_.Sql(
      "DO $$ BEGIN CREATE ROLE carry_keyed LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;"
      "ALTER TABLE c OWNER TO carry_keyed; ALTER TABLE d OWNER TO carry_keyed; GRANT CREATE ON "
      "SCHEMA public TO carry_keyed; GRANT CREATE ON DATABASE " +
      database_.name() + " TO carry_keyed; ALTER TABLE c DISABLE TRIGGER ALL");
  user_ = "carry_keyed";
  const Ran refused = Run({"rebuild", "c", "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, ::testing::ContainsRegex(
                               "the triggers of foreign key of_c of public.d are switched "
                               "off.*ALTER TABLE public.c ENABLE TRIGGER .*, ENABLE TRIGGER"));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
  user_.clear();
  const Ran parted = Run({"rebuild", "c", "--definition",
                          File("CREATE TABLE c (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);"
                               "CREATE TABLE c_1 PARTITION OF c DEFAULT"),
                          "--yes"});
  EXPECT_EQ(parted.code, 4) << parted.err;
  EXPECT_THAT(parted.err, ::testing::HasSubstr("partitioned tables would have them on again"));
  database_.Sql("ALTER TABLE c ENABLE TRIGGER ALL");
  user_ = "carry_keyed";
  const Ran rebuilt = Run({"rebuild", "c", "--yes"});
  user_.clear();
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.err;
}

TEST_F(Carried, ADefinitionThatChanges) {
  constexpr const char* kAlter =
      "ALTER n TYPE bigint, ADD COLUMN added int NOT NULL DEFAULT 7, ALTER kind TYPE bigint, DROP "
      "CONSTRAINT named, ADD CONSTRAINT price_less CHECK (price < 100000), DROP COLUMN tags, ALTER "
      "\"Name\" SET DEFAULT 'nobody', ADD UNIQUE (made, id)";
  const FreshDatabase plain;
  for (const FreshDatabase* database : std::array<const FreshDatabase*, 2>{&database_, &plain}) {
    MakeRich(*database);
    database->Sql("DROP PUBLICATION part");  // it would forbid the plain statement
  }
  plain.Sql(std::string("ALTER TABLE app.\"Order Items\" ") + kAlter);
  // It forgets the one, and on PostgreSQL 14 the other, too.
  plain.Sql(
      "ALTER STATISTICS app.both SET STATISTICS 77; ALTER STATISTICS app.both OWNER TO "
      "carry_writer");
  ExpectRebuilt({"--alter", kAlter});
  EXPECT_THAT(Difference(Dump(plain), Dump(database_)), ::testing::IsEmpty());
  const char* const rows =
      "SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM (SELECT id, n, kind, "
      "price, twice, share, mood, doc, added FROM app.\"Order Items\") t";
  EXPECT_EQ(database_.Value(rows), plain.Value(rows));
}

TEST_F(Carried, ARoleThatDoesNotOwnTheTableIsToldSo) {
  MakeRebuilt(10);
  database_.Sql(
      "DO $$ BEGIN CREATE ROLE carry_stranger LOGIN; EXCEPTION WHEN duplicate_object THEN END $$");
  user_ = "carry_stranger";
  const Ran refused = Run(Rebuild());
  user_.clear();
  EXPECT_EQ(refused.code, 10) << refused.err;
  EXPECT_THAT(refused.err, ::testing::HasSubstr("does not own public.items"));
}

// The swap drops and makes it, and would fail when all is copied.
TEST_F(Carried, WhatTheRoleMayNotMakeAnewIsRefusedBefore) {
  MakeRebuilt(10);
  database_.Sql(
      "DO $$ BEGIN CREATE ROLE carry_owner LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;"
      "ALTER TABLE items OWNER TO carry_owner; GRANT CREATE ON SCHEMA public TO carry_owner;"
      "CREATE STATISTICS strange ON a, u FROM items; GRANT CREATE ON DATABASE " +
      database_.name() + " TO carry_owner");
  user_ = "carry_owner";
  const Ran refused = Run(Rebuild());
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, ::testing::HasSubstr("statistics object public.strange is on it"));
  database_.Sql(
      "ALTER STATISTICS strange OWNER TO carry_owner; CREATE SCHEMA closed; CREATE VIEW "
      "closed.seen "
      "AS SELECT id FROM items; ALTER VIEW closed.seen OWNER TO carry_owner; GRANT USAGE ON SCHEMA "
      "closed TO carry_owner");
  const Ran closed = Run(Rebuild());
  EXPECT_EQ(closed.code, 4) << closed.err;
  EXPECT_THAT(closed.err, ::testing::HasSubstr("GRANT CREATE ON SCHEMA closed TO carry_owner"));
  database_.Sql("GRANT CREATE ON SCHEMA closed TO carry_owner");
  const Ran rebuilt = Run(Rebuild());
  user_.clear();
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.err;
}

TEST_F(Carried, ATemporaryViewOfAnotherSessionIsRefusedBefore) {
  MakeRebuilt(10);
  Session other = database_.Connect();
  other.Exec("CREATE TEMPORARY VIEW seen AS SELECT id FROM items");
  const Ran refused = Run(Rebuild());
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, ::testing::ContainsRegex("temporary view pg_temp_.*seen of another"));
  other.Exec("DROP VIEW seen");
  const Ran rebuilt = Run(Rebuild());
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.err;
}

TEST_F(Carried, ATriggerOfUsersWhateverItsNameBeginsWith) {
  MakeRebuilt(10);
  database_.Sql(
      "CREATE TABLE audit (id bigint); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN INSERT INTO public.audit VALUES (new.id); RETURN NULL; END'; CREATE TRIGGER "
      "pgalter_audit AFTER INSERT ON items FOR EACH ROW EXECUTE FUNCTION note();"
      "COMMENT ON TRIGGER pgalter_audit ON items IS 'not one of ours'");
  const std::string triggers =
      "SELECT string_agg(concat_ws(' ', tgname, obj_description(oid, 'pg_trigger')), '; ' ORDER BY "
      "tgname) FROM pg_trigger WHERE tgrelid = 'items'::regclass AND NOT tgisinternal AND "
      "(tgname NOT LIKE 'pgalter%' OR tgname = 'pgalter_audit')";
  const std::string before = database_.Value(triggers);
  ASSERT_EQ(Run(Rebuild()).code, 0);
  EXPECT_EQ(database_.Value(triggers), before);
  database_.Sql("INSERT INTO items VALUES (1000, 1)");
  EXPECT_EQ(Number("SELECT count(*) FROM audit"), 1);
  ASSERT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(database_.Value(triggers), before);
  database_.Sql("INSERT INTO items VALUES (1001, 1)");
  EXPECT_EQ(Number("SELECT count(*) FROM audit"), 2);
  ExpectSame();
}

TEST_F(Carried, ATriggerOfOnePartitionIsRefusedWhateverItsNameBeginsWith) {
  database_.Sql(
      "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
      "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);"
      "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
      "CREATE TRIGGER pgalter_own AFTER INSERT ON p_1 FOR EACH ROW EXECUTE FUNCTION note()");
  const Ran refused = Run({"rebuild", "p", "--alter", "ALTER id TYPE bigint", "--yes"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err,
              ::testing::HasSubstr("partition public.p_1 has trigger pgalter_own of its own"));
}

TEST_F(Carried, AResumedRunKnowsHowManyRowsItHasCopied) {
  MakeRebuilt(5'000);
  ASSERT_EQ(Run(Rebuild(), {"PGALTER_FAIL_POINT=purged"}).code, kKilled);
  AwaitNoRunner();
  ResumeToTheEnd();
  EXPECT_EQ(Number("SELECT done_rows FROM pgalter.run"), 5'000);
}

struct KeyCase {
  const char* name;
  const char* definition;
  const char* rows;
};

class Keys : public RebuildWorld, public ::testing::WithParamInterface<KeyCase> {};

TEST_P(Keys, AreFollowed) {
  database_.Sql(fmt::format("CREATE EXTENSION IF NOT EXISTS citext; CREATE TABLE t ({})",
                            GetParam().definition));
  database_.Sql(fmt::format("INSERT INTO t {}", GetParam().rows));
  database_.Sql("CREATE TABLE plain AS SELECT * FROM t");
  const Ran killed = Run({"rebuild", "t", "--alter", "ALTER v TYPE bigint", "--yes"},
                         {"PGALTER_FAIL_POINT=index-built"});
  ASSERT_EQ(killed.code, kKilled) << killed.err;
  AwaitNoRunner();
  for (const char* table : {"t", "plain"})
    database_.Sql(
        fmt::format("UPDATE {0} SET v = v + 1 WHERE v % 3 = 0; DELETE FROM {0} WHERE v % 5 "
                    "= 0",
                    table));
  const Ran ran = Run({"resume", RunId()});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(
      database_.Value("SELECT md5(string_agg(t::text, ',' ORDER BY t::text COLLATE \"C\")) FROM "
                      "t"),
      database_.Value("SELECT md5(string_agg(t::text, ',' ORDER BY t::text COLLATE \"C\")) FROM "
                      "plain t"));
}

INSTANTIATE_TEST_SUITE_P(
    Types, Keys,
    ::testing::Values(
        KeyCase{"Composite", "a int, b text, v int, PRIMARY KEY (b, a)",
                "SELECT g % 10, 'b' || g, g FROM generate_series(1, 500) g"},
        KeyCase{"Uuid", "id uuid PRIMARY KEY, v int",
                "SELECT gen_random_uuid(), g FROM generate_series(1, 500) g"},
        KeyCase{"Numeric", "id numeric PRIMARY KEY, v int",
                "SELECT g / 7.0, g FROM generate_series(1, 500) g"},
        KeyCase{"Timestamptz", "id timestamptz PRIMARY KEY, v int",
                "SELECT timestamptz '2024-03-30 22:00+00' + g * interval '7.123456 min', g FROM "
                "generate_series(1, 500) g"},
        KeyCase{"Citext", "id citext PRIMARY KEY, v int",
                "SELECT 'Name ' || g || E' \\\\ \" , { é', g FROM generate_series(1, 500) g"},
        KeyCase{"Bytea", "id bytea PRIMARY KEY, v int",
                "SELECT decode(md5(g::text), 'hex'), g FROM generate_series(1, 500) g"},
        KeyCase{"UniqueIndexOnly", "\"Id\" int NOT NULL UNIQUE, v int",
                "SELECT g, g FROM generate_series(1, 500) g"}),
    [](const auto& param) { return std::string(param.param.name); });

// The keys of a partitioned table that refers: dropped in the swap, added NOT VALID to each
// partition, and adopted by the table when these are validated.
class CarriedOfPartitions : public RebuildWorld {
 protected:
  void MakeLines() {
    database_.Sql(
        "CREATE TABLE ev (id int PRIMARY KEY, note text); INSERT INTO ev SELECT g, 'n' || g FROM "
        "generate_series(1, 1000) g;"
        "CREATE TABLE lnp (n int, kind int NOT NULL, e int CONSTRAINT lnp_e_fkey REFERENCES ev ON "
        "DELETE CASCADE DEFERRABLE) PARTITION BY LIST (kind);"
        "CREATE SCHEMA \"Far off\"; CREATE TABLE lnp_1 PARTITION OF lnp FOR VALUES IN (1);"
        "CREATE TABLE \"Far off\".\"Lnp 2\" PARTITION OF lnp FOR VALUES IN (2) PARTITION BY RANGE "
        "(n); CREATE TABLE lnp_2a PARTITION OF \"Far off\".\"Lnp 2\" FOR VALUES FROM (0) TO (500);"
        "CREATE TABLE lnp_2b PARTITION OF \"Far off\".\"Lnp 2\" DEFAULT;"
        "ALTER TABLE lnp_1 ADD CONSTRAINT of_one FOREIGN KEY (n) REFERENCES ev;"
        "COMMENT ON CONSTRAINT lnp_e_fkey ON lnp IS 'of an event';"
        "INSERT INTO lnp SELECT g, 1 + g % 2, g FROM generate_series(1, 1000) g");
    before_ = Dump(database_);
  }

  [[nodiscard]] Ran RebuildEvents(const std::string& point = "none") const {
    return Run({"rebuild", "ev", "--alter", "ADD z int", "--yes"}, {"PGALTER_FAIL_POINT=" + point});
  }
  [[nodiscard]] Ran Back() const { return Run({"revert", RunId(), "--yes"}); }

  // They are the whole's and valid, and the server heeds them from both sides.
  void ExpectKeys() const {
    EXPECT_EQ(database_.Value(
                  "SELECT string_agg(format('%s %s %s %s', c.relname, conname, convalidated, "
                  "conparentid = 0), ', ' ORDER BY conname, c.relname) FROM pg_constraint f JOIN "
                  "pg_class c ON c.oid = conrelid WHERE contype = 'f' AND confrelid = "
                  "'ev'::regclass"),
              "Lnp 2 lnp_e_fkey t f, lnp lnp_e_fkey t t, lnp_1 lnp_e_fkey t f, lnp_2a lnp_e_fkey t "
              "f, lnp_2b lnp_e_fkey t f, lnp_1 of_one t t");
    Session user = database_.Connect();
    for (const char* sql :
         {"INSERT INTO lnp VALUES (1, 1, 5000)", "INSERT INTO lnp_2b VALUES (900, 2, 5000)",
          "INSERT INTO lnp_1 VALUES (5000, 1, 1)", "DELETE FROM ev WHERE id = 2"})
      EXPECT_THROW(user.Exec(sql), SqlError) << sql;
    user.Exec("BEGIN; DELETE FROM ev WHERE id IN (3, 701)");
    EXPECT_EQ(user.Value("SELECT count(*) FROM lnp WHERE e IN (3, 701)"), "0");
    user.Exec("ROLLBACK");
  }

  std::vector<std::string> before_;
};

TEST_F(CarriedOfPartitions, KeysToTheTableFollowThereAndBack) {
  MakeLines();
  const Ran ran = RebuildEvents();
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectKeys();
  EXPECT_EQ(database_.Value("SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE "
                            "conrelid = 'lnp'::regclass AND contype = 'f'"),
            "of an event");
  const Ran back = Back();
  ASSERT_EQ(back.code, 0) << back.err;
  ExpectKeys();
  EXPECT_THAT(Difference(before_, Dump(database_)), ::testing::IsEmpty());
}

// They are the partitions' alone then, and the whole's again in the end.
TEST_F(CarriedOfPartitions, KeysToTheTableGoBackBeforeTheyAreAdopted) {
  MakeLines();
  for (const char* point : {"cut-over", "key-validated:2", "key-adopted"}) {
    SCOPED_TRACE(point);
    ASSERT_EQ(RebuildEvents(point).code, kKilled);
    AwaitNoRunner();
    const Ran back = Back();
    ASSERT_EQ(back.code, 0) << back.err;
    ExpectKeys();
    EXPECT_THAT(Difference(before_, Dump(database_)), ::testing::IsEmpty());
  }
}

TEST_F(CarriedOfPartitions, KeysToTheTableAreAdoptedByResumeWithoutAPartitionThatWasDropped) {
  MakeLines();
  ASSERT_EQ(RebuildEvents("cut-over").code, kKilled);
  AwaitNoRunner();
  database_.Sql("DROP TABLE lnp_2a; CREATE TABLE lnp_3 PARTITION OF lnp FOR VALUES IN (3)");
  const Ran ran = Run({"resume", RunId()});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(
      Number("SELECT count(*) FROM pg_constraint WHERE conname = 'lnp_e_fkey' AND convalidated "
             "AND confrelid = 'ev'::regclass"),
      5);
}

struct RefusedCase {
  const char* name;
  const char* script;
  Words arguments;
  int code;
  const char* says;
};

class RebuildRefused : public RebuildWorld, public ::testing::WithParamInterface<RefusedCase> {};

TEST_P(RebuildRefused, WritesNothing) {
  database_.Sql(GetParam().script);
  Words words{"rebuild"};
  words.insert(words.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  words.push_back("--yes");
  const Ran ran = Run(words);
  EXPECT_EQ(ran.code, GetParam().code) << ran.err;
  EXPECT_THAT(ran.err, ::testing::HasSubstr(GetParam().says));
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter%'"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Inputs, RebuildRefused,
    ::testing::Values(
        RefusedCase{"UnknownTable", "SELECT 1", {"nowhere"}, 2, "there is no table"},
        RefusedCase{"NoKey", "CREATE TABLE t (a int)", {"t"}, 4, "add a primary key"},
        RefusedCase{"Inherited",
                    "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE c () INHERITS (t)",
                    {"t"},
                    4,
                    "NO INHERIT"},
        RefusedCase{
            "MaterializedView",
            "CREATE TABLE t (a int PRIMARY KEY); CREATE MATERIALIZED VIEW m AS SELECT * FROM t",
            {"t"},
            4,
            "materialized view public.m"},
        RefusedCase{
            "RowType",
            "CREATE TABLE t (a int PRIMARY KEY); CREATE FUNCTION f(t) RETURNS int LANGUAGE sql "
            "AS 'SELECT 1'",
            {"t"},
            4,
            "function public.f(public.t)"},
        RefusedCase{"PolicyOfAnotherTable",
                    "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE other (a int); CREATE POLICY "
                    "po ON other USING (a IN (SELECT t.a FROM t))",
                    {"t"},
                    4,
                    "policy po of public.other reads it"},
        RefusedCase{
            "RuleOfAView",
            "CREATE TABLE t (a int PRIMARY KEY); CREATE VIEW v AS SELECT 1 AS a; CREATE RULE "
            "wi AS ON INSERT TO v DO INSTEAD INSERT INTO t VALUES (new.a)",
            {"t"},
            4,
            "rule wi of view public.v writes or reads it"},
        RefusedCase{"NoSyntax",
                    "CREATE TABLE t (a int PRIMARY KEY)",
                    {"t", "--alter", "ALTER a TYP bigint"},
                    2,
                    "ALTER a TYP bigint"},
        RefusedCase{"SecondStatement",
                    "CREATE TABLE t (a int PRIMARY KEY)",
                    {"t", "--alter", "ADD b int; DROP TABLE t"},
                    2,
                    "--alter"},
        RefusedCase{"ViewOnADroppedColumn",
                    "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE VIEW v AS SELECT b FROM t",
                    {"t", "--alter", "DROP b"},
                    4,
                    "view public.v"},
        RefusedCase{"PolicyOnADroppedColumn",
                    "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE POLICY p ON t USING (b > 1)",
                    {"t", "--alter", "DROP b"},
                    4,
                    "policy p on table"},
        RefusedCase{"NoKeyStays",
                    "CREATE TABLE t (a int PRIMARY KEY)",
                    {"t", "--alter", "ALTER a TYPE text"},
                    4,
                    "no unique key stays"},
        RefusedCase{"ForeignKey",
                    "CREATE TABLE t (a int PRIMARY KEY)",
                    {"t", "--alter", "ADD b int REFERENCES t"},
                    4,
                    "NOT VALID"}),
    [](const auto& param) { return std::string(param.param.name); });

struct MisfitCase {
  const char* name;
  const char* alter;
  const char* bad;  // what makes row 777 unfit
  const char* sqlstate;
};

class Misfits : public RebuildWorld, public ::testing::WithParamInterface<MisfitCase> {};

TEST_P(Misfits, AreNamedByTheirKey) {
  MakeRebuilt(2'000);
  database_.Sql(GetParam().bad);
  const Ran ran = Run({"rebuild", "items", "--alter", GetParam().alter, "--yes"});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, ::testing::HasSubstr("the row (id) = (777) of public.items"));
  EXPECT_THAT(ran.err, ::testing::HasSubstr(GetParam().sqlstate));
  EXPECT_EQ(StateOfRun(), "failed");
  ExpectSame();
  database_.Sql("DELETE FROM items WHERE id = 777");
  ResumeToTheEnd();
  EXPECT_EQ(Number("SELECT count(*) FROM items"), 1'999);
  EXPECT_EQ(Number("SELECT count(*) FROM items JOIN mirror USING (id)"), 1'999);
}

INSTANTIATE_TEST_SUITE_P(
    Values, Misfits,
    ::testing::Values(MisfitCase{"TooLarge", "ALTER a TYPE smallint",
                                 "UPDATE items SET a = 70000 WHERE id = 777", "22003"},
                      MisfitCase{"TooLong", "ALTER pad TYPE varchar(50)",
                                 "UPDATE items SET pad = repeat('x', 51) WHERE id = 777", "22001"},
                      MisfitCase{"NoNumber", "ALTER big TYPE int USING big::int",
                                 "UPDATE items SET big = 'x' WHERE id = 777", "22P02"},
                      MisfitCase{"Check", "ADD CHECK (a < 5000)",
                                 "UPDATE items SET a = 5000 WHERE id = 777", "23514"},
                      MisfitCase{"NotNull", "ALTER u SET NOT NULL",
                                 "UPDATE items SET u = NULL WHERE id = 777", "23502"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_F(Carried, RowsThatANewUniqueKeyMeetsTwiceAreNamed) {
  MakeRebuilt(2'000);
  database_.Sql("UPDATE items SET pad = id; UPDATE items SET pad = 'same' WHERE id IN (11, 12)");
  const Ran ran = Run({"rebuild", "items", "--alter", "ADD UNIQUE (pad)", "--yes"});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err,
              ::testing::HasSubstr("the rows (id) = (11), (id) = (12) are the same in it"));
  database_.Sql("UPDATE items SET pad = 'other' WHERE id = 12");
  ResumeToTheEnd();
  ExpectSame();
}

// GRANT takes no lock on a table: one that comes when the swap has read the rights. From 18 on it
// waits for the table, and then grants on what has its name.
class GrantedMeanwhile : public RebuildWorld {
 protected:
  void SetUp() override {
    if (SharedServer().server_version_major() >= 18) GTEST_SKIP() << "GRANT waits for the swap";
    MakeRebuilt(100);
    database_.Sql(
        "DO $$ BEGIN CREATE ROLE carry_late; EXCEPTION WHEN duplicate_object THEN END $$;"
        "CREATE VIEW seen AS SELECT id, a FROM items; GRANT INSERT ON items TO carry_late;"
        // The first statement of a swap, under its locks, waits for a row of `go`.
        "CREATE TABLE go (n int); CREATE FUNCTION hold() RETURNS event_trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND granted AND "
        "mode "
        "= 'AccessExclusiveLock' AND relation = 'public.items'::regclass) THEN WHILE NOT EXISTS "
        "(SELECT FROM public.go) LOOP PERFORM pg_sleep(0.005); END LOOP; END IF; END $$;"
        "CREATE EVENT TRIGGER hold ON ddl_command_start WHEN TAG IN ('DROP TRIGGER') EXECUTE "
        "FUNCTION hold()");
  }
  void TearDown() override { database_.Sql("DROP EVENT TRIGGER IF EXISTS hold"); }

  void AwaitHeld() const {
    database_.AwaitValue(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgalter/%' AND "
        "wait_event = 'PgSleep'",
        "1", kLimit);
  }
  // `statements` while the swap of `command` holds its locks.
  [[nodiscard]] Ran RunBeside(const Words& command, const std::string& statements,
                              const Words& more = {}) const {
    Words environment{"PGALTER_LIMITS=hold-budget=30000"};
    environment.insert(environment.end(), more.begin(), more.end());
    Program program = Start(command, environment);
    AwaitHeld();
    database_.Sql(statements);
    database_.Sql("INSERT INTO go VALUES (1)");
    const Ran ran = program.Wait(kLimit);
    database_.Sql("TRUNCATE go");
    return ran;
  }
  [[nodiscard]] std::string Rights() const {
    return database_.Value(
        "SELECT concat_ws(' ', has_table_privilege('carry_late', 'items', 'SELECT'), "
        "has_table_privilege('carry_late', 'items', 'INSERT'), has_column_privilege('carry_late', "
        "'items', 'u', 'UPDATE'), has_table_privilege('carry_late', 'seen', 'SELECT'))");
  }
};

constexpr const char* kLate =
    "GRANT SELECT ON items TO carry_late; REVOKE INSERT ON items FROM carry_late; GRANT UPDATE (u) "
    "ON items TO carry_late; GRANT SELECT ON seen TO carry_late";

TEST_F(GrantedMeanwhile, IsCarriedOverByTheNextAttempt) {
  const Ran ran = RunBeside(Rebuild(), kLate);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Rights(), "t f t t");
}

TEST_F(GrantedMeanwhile, IsLostWithoutTheComparison) {
  const Ran ran = RunBeside(Rebuild(), kLate, {"PGALTER_SAFEGUARDS_OFF=grants"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Rights(), "f t f f");
}

TEST_F(GrantedMeanwhile, OnOneOfThemAlone) {
  for (const char* one :
       {"GRANT UPDATE (u) ON items TO carry_late", "GRANT SELECT ON seen TO carry_late"}) {
    SCOPED_TRACE(one);
    database_.Sql("REVOKE ALL ON items, seen FROM carry_late");
    const Ran ran = RunBeside({"rebuild", "items", "--alter", "ALTER a TYPE bigint", "--yes"}, one);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(Rights(), ::testing::HasSubstr("t"));
    database_.Sql("INSERT INTO go VALUES (1)");
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    EXPECT_EQ(reverted.code, 0) << reverted.err;
    database_.Sql("TRUNCATE go");
  }
}

TEST_F(GrantedMeanwhile, IsCarriedBackToo) {
  database_.Sql("INSERT INTO go VALUES (1)");
  ASSERT_EQ(Run(Rebuild()).code, 0);
  database_.Sql("TRUNCATE go");
  const Ran ran = RunBeside({"revert", RunId(), "--yes"}, kLate);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Rights(), "t f t t");
}

// The old table has them still.
TEST_F(GrantedMeanwhile, OnColumnsAloneDoesNotComeBackWhereItWasTakenAway) {
  database_.Sql(
      "INSERT INTO go VALUES (1); REVOKE ALL ON items FROM carry_late;"
      "GRANT UPDATE (u), SELECT (a) ON items TO carry_late");
  ASSERT_EQ(Run(Rebuild()).code, 0);
  database_.Sql("REVOKE ALL ON items FROM carry_late");
  const Ran reverted = Run({"revert", RunId(), "--yes"});
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Rights(), "f f f f");
  EXPECT_EQ(database_.Value("SELECT has_any_column_privilege('carry_late', 'items', 'SELECT')"),
            "f");
}

// A table becomes a partition of the one that takes its place, and is taken back.
TEST_F(GrantedMeanwhile, IsCarriedOverWhereTheTableIsAttached) {
  const Ran ran = RunBeside({"partition", "convert", "items", "--by", "range(id)", "--every",
                             "100000", "--strategy", "attach", "--allow-weaker-keys", "--yes"},
                            kLate);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Rights(), "t f t t");
  const Ran reverted = RunBeside({"revert", RunId(), "--yes"},
                                 "REVOKE SELECT ON items FROM carry_late; GRANT INSERT ON items TO "
                                 "carry_late");
  EXPECT_EQ(reverted.code, 0) << reverted.err;
  EXPECT_EQ(Rights(), "f t t t");
}

// The swap waits for whoever has granted and not committed, and is refused once he has.
TEST_F(GrantedMeanwhile, IsWaitedForWhereItIsNotCommitted) {
  Program program = Start(Rebuild(), {"PGALTER_LIMITS=hold-budget=30000"});
  AwaitHeld();
  Session user = database_.Connect();
  user.Exec("BEGIN; GRANT SELECT ON items TO carry_late");
  database_.Sql("INSERT INTO go VALUES (1)");
  database_.AwaitValue(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name LIKE 'pgalter/%' AND "
      "wait_event = 'transactionid'",
      "t", kLimit);
  user.Exec("COMMIT");
  const Ran ran = program.Wait(kLimit);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(Rights(), "t t f f");
}

}  // namespace
}  // namespace pgalter::test
