#include "tests/fault/rebuild_family.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace pgalter::test {

namespace {

const Words kAlters{
    "--alter", "p: ALTER id TYPE bigint, ALTER up TYPE bigint, ALTER last TYPE bigint",
    "--alter", "c: ALTER id TYPE bigint, ALTER p TYPE bigint",
    "--alter", "\"G G\" : ALTER p TYPE bigint, ALTER c TYPE bigint"};
}  // namespace

// p refers to itself and, in a circle, to c.
const char* const kFamily = R"sql(
CREATE TABLE kinds (id int PRIMARY KEY);
INSERT INTO kinds SELECT generate_series(0, 9);
CREATE TABLE p (id int PRIMARY KEY, kind int REFERENCES kinds, v int NOT NULL DEFAULT 0,
  up int REFERENCES p ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, last int);
CREATE TABLE c (id int PRIMARY KEY,
  p int NOT NULL REFERENCES p ON UPDATE CASCADE ON DELETE CASCADE, v int NOT NULL DEFAULT 0);
ALTER TABLE p ADD CONSTRAINT newest FOREIGN KEY (last) REFERENCES c
  ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
COMMENT ON CONSTRAINT newest ON p IS 'in a circle';
CREATE TABLE "G G" (id int PRIMARY KEY, p int REFERENCES p ON UPDATE CASCADE ON DELETE CASCADE,
  c int CONSTRAINT to_c REFERENCES c ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE outside (p int REFERENCES p ON UPDATE CASCADE ON DELETE CASCADE);
CREATE INDEX ON c (p); CREATE INDEX ON "G G" (c); CREATE INDEX ON "G G" (p); CREATE INDEX ON p (last);
CREATE INDEX ON p (up); CREATE INDEX ON outside (p);
CREATE SEQUENCE ids START 1000000;
INSERT INTO p (id, kind, up) SELECT g, g % 10, nullif(g - 1, 0) FROM generate_series(1, 3000) g;
INSERT INTO c (id, p) SELECT g, 1 + g % 3000 FROM generate_series(1, 6000) g;
UPDATE p SET last = id;
INSERT INTO "G G" (id, p, c) SELECT g, 1 + g % 3000, g FROM generate_series(1, 6000) g;
INSERT INTO outside SELECT generate_series(1, 50);
CREATE VIEW values_of_both AS SELECT p.v AS of_p, c.v AS of_c FROM p, c;
GRANT SELECT ON values_of_both TO PUBLIC;
CREATE SCHEMA mirror;
CREATE TABLE mirror.p AS SELECT * FROM p; CREATE TABLE mirror.c AS SELECT * FROM c;
CREATE TABLE mirror."G G" AS SELECT * FROM "G G";
CREATE INDEX ON mirror.p (id); CREATE INDEX ON mirror.c (id); CREATE INDEX ON mirror."G G" (id);
CREATE FUNCTION mirror() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    EXECUTE format('DELETE FROM mirror.%I WHERE id = $1', TG_ARGV[0]) USING old.id;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    EXECUTE format('INSERT INTO mirror.%I SELECT ($1).*', TG_ARGV[0]) USING new;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER mirrored AFTER INSERT OR UPDATE OR DELETE ON p FOR EACH ROW EXECUTE FUNCTION mirror('p');
CREATE TRIGGER mirrored AFTER INSERT OR UPDATE OR DELETE ON c FOR EACH ROW EXECUTE FUNCTION mirror('c');
CREATE TRIGGER mirrored AFTER INSERT OR UPDATE OR DELETE ON "G G" FOR EACH ROW
  EXECUTE FUNCTION mirror('G G');
)sql";

std::string FamilyChange(std::mt19937& dice) {
  const auto pick = [&dice](int least, int most) {
    return std::uniform_int_distribution(least, most)(dice);
  };
  const int id = pick(0, 2) == 0 ? pick(1, 30) : pick(1, 3000);
  const int other = pick(1, 3000);
  switch (pick(0, 10)) {
    case 0:  // a family, the youngest first
      return "BEGIN; SELECT nextval('ids'), nextval('ids'), nextval('ids');"
             "INSERT INTO p (id, kind, last) VALUES (currval('ids'), 3, currval('ids') - 1);"
             "INSERT INTO \"G G\" (id, p, c) VALUES (currval('ids') - 2, currval('ids'), "
             "currval('ids') - 1);"
             "INSERT INTO c (id, p) VALUES (currval('ids') - 1, currval('ids')); COMMIT";
    case 1:
      return fmt::format("DELETE FROM p WHERE id = {}", id);
    case 2:  // its children follow
      return fmt::format("UPDATE p SET id = nextval('ids') WHERE id = {}", id);
    case 3:
      return fmt::format("UPDATE c SET id = nextval('ids') WHERE id = {}", id);
    case 4:
      return fmt::format("DELETE FROM c WHERE id = {}", id);
    case 5:
      return fmt::format(
          "UPDATE c SET p = {} WHERE id = {} AND EXISTS (SELECT FROM p WHERE id = {})", other, id,
          other);
    case 6:
      return fmt::format(
          "BEGIN; UPDATE p SET v = v + 1 WHERE id = {0}; SAVEPOINT s; DELETE FROM p WHERE id = {0};"
          "ROLLBACK TO s; UPDATE c SET v = v + 1 WHERE p = {0}; COMMIT",
          id);
    case 7:  // gone and back again, with its children
      return fmt::format(
          "BEGIN; DELETE FROM p WHERE id = {0}; INSERT INTO p (id, kind) VALUES ({0}, 1);"
          "INSERT INTO c (id, p) VALUES (nextval('ids'), {0}); COMMIT",
          id);
    case 8:  // long, across whatever the program does meanwhile; seldom, since it locks the other
             // way round than a cut-over, whose attempts end by it
      if (pick(0, 39) > 0) return fmt::format("UPDATE p SET up = NULL WHERE id = {}", id);
      return fmt::format(
          "BEGIN; UPDATE c SET v = v + 3 WHERE id = {0}; SELECT pg_sleep(0.2); UPDATE p SET v = v "
          "+ 3 "
          "WHERE id = {0}; COMMIT",
          id);
    default:
      return fmt::format(
          "BEGIN; UPDATE p SET v = v + 1 WHERE id = {0}; UPDATE c SET v = v + 1 WHERE id = {0}; "
          "COMMIT",
          id);
  }
}

Words Family::RebuildFamily(const Words& more) {
  Words words{"rebuild", "p", "c", "\"G G\"", "--yes", "--chunk-time", "10ms"};
  words.insert(words.end(), kAlters.begin(), kAlters.end());
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

long Family::Differences() const {
  return Number(
      "SELECT (SELECT count(*) FROM p FULL JOIN mirror.p m USING (id) WHERE p.id IS NULL OR m.id "
      "IS NULL OR (p.v, p.kind, p.up, p.last) IS DISTINCT FROM (m.v, m.kind, m.up, m.last))"
      "+ (SELECT count(*) FROM c FULL JOIN mirror.c m USING (id) WHERE c.id IS NULL OR m.id IS "
      "NULL OR (c.p, c.v) IS DISTINCT FROM (m.p, m.v))"
      "+ (SELECT count(*) FROM \"G G\" g FULL JOIN mirror.\"G G\" m USING (id) WHERE g.id IS "
      "NULL "
      "OR m.id IS NULL OR (g.p, g.c) IS DISTINCT FROM (m.p, m.c))");
}

long Family::Orphans() const {
  return Number(
      "SELECT (SELECT count(*) FROM c WHERE NOT EXISTS (SELECT FROM p WHERE id = c.p))"
      "+ (SELECT count(*) FROM p x WHERE up IS NOT NULL AND NOT EXISTS (SELECT FROM p WHERE id = "
      "x.up))"
      "+ (SELECT count(*) FROM p WHERE last IS NOT NULL AND NOT EXISTS (SELECT FROM c WHERE id = "
      "p.last))"
      "+ (SELECT count(*) FROM \"G G\" g WHERE c IS NOT NULL AND NOT EXISTS (SELECT FROM c WHERE "
      "id = g.c) OR p IS NOT NULL AND NOT EXISTS (SELECT FROM p WHERE id = g.p))"
      "+ (SELECT count(*) FROM outside o WHERE NOT EXISTS (SELECT FROM p WHERE id = o.p))");
}

std::string Family::Types() const {
  return database_.Value(
      "SELECT string_agg(DISTINCT format_type(atttypid, NULL), ' ') FROM pg_attribute WHERE "
      "(attrelid = 'p'::regclass AND attname IN ('id', 'up', 'last') OR attrelid = 'c'::regclass "
      "AND attname IN ('id', 'p') OR attrelid = '\"G G\"'::regclass AND attname IN ('p', 'c'))");
}

void Family::ExpectKeys() const {
  EXPECT_EQ(
      database_.Value(
          "SELECT string_agg(format('%s %s>%s%s', conname, conrelid::regclass, "
          "confrelid::regclass, CASE WHEN convalidated THEN '' ELSE '?' END), ', ' ORDER BY "
          "conname COLLATE \"C\") FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND "
          "conrelid::regclass::text "
          "NOT LIKE 'pgalter%'"),
      "G G_p_fkey \"G G\">p, c_p_fkey c>p, newest p>c, outside_p_fkey outside>p, p_kind_fkey "
      "p>kinds, p_up_fkey p>p, to_c \"G G\">c");
}

void Family::ExpectRight(const std::string& types) const {
  EXPECT_EQ(Differences(), 0);
  EXPECT_EQ(Orphans(), 0);
  EXPECT_EQ(Types(), types);
  ExpectKeys();
}

}  // namespace pgalter::test
