// What a role and a database have set for whoever comes: it must neither disturb a run nor give
// away what the run makes.
#include <fmt/format.h>

#include "tests/fault/rebuild_world.h"

namespace pgalter::test {
namespace {

class RebuildSettings : public RebuildWorld {
 protected:
  // Schemas of ours, their tables and sequences, on which somebody besides the owner has a right.
  [[nodiscard]] std::string GivenAway() const {
    return database_.Value(
        "SELECT coalesce(string_agg(DISTINCT o.name, ' '), '') FROM ("
        "  SELECT nspname, nspowner, nspacl FROM pg_namespace WHERE nspname LIKE 'pgalter%'"
        "  UNION ALL SELECT c.oid::regclass::text, c.relowner, c.relacl FROM pg_class c"
        "  WHERE c.relnamespace = 'pgalter'::regnamespace) o (name, owner, acl),"
        " aclexplode(o.acl) a WHERE a.grantee <> o.owner");
  }
};

TEST_F(RebuildSettings, DefaultPrivilegesGiveNothingOfOursAway) {
  MakeRebuilt(500);
  database_.Sql(
      "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, pg_monitor;"
      "ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC;"
      "ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, pg_monitor;");
  const Ran ran = Run(Rebuild());
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(GivenAway(), "");
  // What somebody gives on purpose stays.
  database_.Sql("GRANT SELECT ON pgalter.run TO pg_monitor");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(GivenAway(), "pgalter.run");
  ExpectSame();
}

TEST_F(RebuildSettings, AttachedTablesGiveNothingOfOursAway) {
  database_.Sql(
      "CREATE TABLE logs (id bigint, made date NOT NULL, PRIMARY KEY (id));"
      "INSERT INTO logs SELECT n, current_date FROM generate_series(1, 50) n;"
      "ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, pg_monitor;");
  const Ran ran = Run({"partition", "convert", "logs", "--by", "range(made)", "--every", "1 month",
                       "--strategy", "attach", "--yes"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(GivenAway(), "");
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  EXPECT_EQ(GivenAway(), "");
}

TEST_F(RebuildSettings, NamesThatTheDatabaseQuotesAlways) {
  MakeRebuilt(500);
  database_.Sql(fmt::format("ALTER DATABASE {} SET quote_all_identifiers = on",
                            database_.Value("SELECT current_database()")));
  const Ran ran = Run(Rebuild());
  ASSERT_EQ(ran.code, 0) << ran.err;
  ExpectNew();
  ExpectSame();
  EXPECT_EQ(Run({"revert", RunId(), "--yes"}).code, 0);
  ExpectSame();
  const Ran parted = Run(Partition());
  ASSERT_EQ(parted.code, 0) << parted.err;
  ExpectPartitioned();
  ExpectSame();
}

// The owner is a role that this one is a member of, and may make nothing in the database.
TEST_F(RebuildSettings, AMemberOfTheOwnerRebuilds) {
  database_.Sql(fmt::format(
      "DROP ROLE IF EXISTS settings_owner, settings_member;"
      "CREATE ROLE settings_owner; CREATE ROLE settings_member LOGIN;"
      "GRANT settings_owner TO settings_member; GRANT pg_monitor TO settings_member;"
      "GRANT CREATE ON DATABASE {} TO settings_member;"
      "CREATE SCHEMA app AUTHORIZATION settings_owner; SET ROLE settings_owner;"
      "CREATE TABLE app.logs (id int PRIMARY KEY, made date NOT NULL);"
      "INSERT INTO app.logs SELECT n, current_date FROM generate_series(1, 300) n; RESET ROLE",
      database_.name()));
  user_ = "settings_member";
  for (const Words& arguments :
       {Words{"rebuild", "app.logs", "--alter", "ALTER id TYPE bigint", "--yes"},
        Words{"partition", "convert", "app.logs", "--by", "range(made)", "--every", "1 month",
              "--strategy", "copy", "--yes"}}) {
    const Ran ran = Run(arguments);
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(database_.Value("SELECT pg_get_userbyid(relowner) FROM pg_class"
                              " WHERE oid = 'app.logs'::regclass"),
              "settings_owner");
    const Ran reverted = Run({"revert", RunId(), "--yes"});
    EXPECT_EQ(reverted.code, 0) << reverted.err;
  }
  EXPECT_EQ(Number("SELECT count(*) FROM app.logs"), 300);
  EXPECT_EQ(Number("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pgalter\\_%'"), 0);
}

}  // namespace
}  // namespace pgalter::test
