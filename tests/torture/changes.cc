#include "tests/torture/changes.h"

#include <fmt/format.h>

namespace pgalter::test {

namespace {

// {0} the type of the key, {1} the key of a number.
constexpr const char* kTables = R"sql(
CREATE FUNCTION k(n int8) RETURNS {0} IMMUTABLE LANGUAGE sql AS $$ SELECT {1} $$;
CREATE TABLE kinds (id int PRIMARY KEY);
CREATE TABLE parents (id int PRIMARY KEY, v int NOT NULL DEFAULT 0);
CREATE TABLE items (id {0} PRIMARY KEY, a int NOT NULL, u int UNIQUE, pad text, big text,
  parent int REFERENCES parents ON UPDATE CASCADE ON DELETE CASCADE, kind int REFERENCES kinds);
CREATE INDEX items_a ON items (a);
CREATE INDEX items_parent ON items (parent);
CREATE INDEX items_kind ON items (kind);
CREATE TABLE mirror (id {0} PRIMARY KEY, a int NOT NULL, u int UNIQUE, pad text, big text, parent int,
  kind int);
CREATE TABLE tick (n int8 PRIMARY KEY);
INSERT INTO tick VALUES (0);
CREATE SEQUENCE item_id START 100000;
CREATE SEQUENCE item_u START 10000000;
CREATE SEQUENCE parent_id START 1000;
CREATE SEQUENCE kind_id START 1000;
CREATE FUNCTION mirror() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    TRUNCATE mirror;
  END IF;
  IF TG_OP IN ('UPDATE', 'DELETE') THEN
    DELETE FROM mirror WHERE id = old.id;
  END IF;
  IF TG_OP IN ('INSERT', 'UPDATE') THEN
    INSERT INTO mirror VALUES (new.id, new.a, new.u, new.pad, new.big, new.parent, new.kind);
  END IF;
  RETURN NULL;
END $$;
INSERT INTO parents SELECT generate_series(1, 30);
INSERT INTO kinds SELECT generate_series(1, 5);
INSERT INTO items SELECT k(g), g % 1000, g, repeat('p', 40), NULL, CASE WHEN g % 3 = 0 THEN 1 + g % 30 END,
  1 + g % 5 FROM generate_series(1, {2}) g;
INSERT INTO mirror SELECT * FROM items;
CREATE TRIGGER mirrored AFTER INSERT OR UPDATE OR DELETE ON items FOR EACH ROW
  EXECUTE FUNCTION mirror();
CREATE TRIGGER mirrored_truncate AFTER TRUNCATE ON items FOR EACH STATEMENT
  EXECUTE FUNCTION mirror();
ALTER TABLE items ENABLE ALWAYS TRIGGER mirrored, ENABLE ALWAYS TRIGGER mirrored_truncate;
)sql";

constexpr const char* kNotes = R"sql(
CREATE TABLE notes (item {0} REFERENCES items ON UPDATE CASCADE ON DELETE CASCADE, n int);
CREATE INDEX ON notes (item);
INSERT INTO notes SELECT k(g), g FROM generate_series(1, {2}, 7) g;
)sql";

std::string KeyOf(const std::string& type) {
  if (type == "text") return "'k' || n";
  if (type == "uuid") return "('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid";
  if (type == "numeric") return "(n || '.0')::numeric";
  return "n";
}

}  // namespace

const char* const kDifferences =
    "SELECT (SELECT count(*) FROM items i FULL JOIN mirror m USING (id) WHERE i.id IS NULL OR m.id "
    "IS NULL OR (i.id::text, i.a, i.u, i.pad, i.big, i.parent, i.kind) IS DISTINCT FROM "
    "(m.id::text, m.a::int8, m.u, m.pad, m.big, m.parent::int8, m.kind))"
    "+ (SELECT count(*) FROM items i WHERE parent IS NOT NULL AND NOT EXISTS (SELECT FROM parents "
    "p WHERE p.id = i.parent) OR kind IS NOT NULL AND NOT EXISTS (SELECT FROM kinds k WHERE k.id = "
    "i.kind))";

std::string SchemaOf(const Crowd& crowd) {
  std::string text = kTables;
  if (crowd.notes) text += kNotes;
  return fmt::format(fmt::runtime(text), crowd.key_type, KeyOf(crowd.key_type), crowd.rows);
}

std::string Changes::Copied(int first) const {
  std::string lines;
  for (int n = first; n < first + 3; ++n) {
    std::string key = std::to_string(n);
    if (crowd_.key_type == "text") key = "k" + key;
    if (crowd_.key_type == "uuid") key = fmt::format("00000000-0000-4000-8000-{:0>12}", n);
    lines += fmt::format("{},{},{}\\n", key, n % 1000, n + 50'000'000);
  }
  return fmt::format("COPY items (id, a, u) FROM PROGRAM 'printf \"{}\"' WITH (FORMAT csv)", lines);
}

// Of one row or two.
std::string Changes::OfRow(std::mt19937& dice, int id, int other) const {
  const auto pick = [&dice](int least, int most) {
    return std::uniform_int_distribution(least, most)(dice);
  };
  switch (pick(0, 10)) {
    case 0:
      return fmt::format(
          "INSERT INTO items VALUES (k(nextval('item_id')), {}, nextval('item_u'), 'new')",
          pick(0, 999));
    case 1:
      return fmt::format("DELETE FROM items WHERE id = k({})", id);
    case 2:  // HOT
      return fmt::format("UPDATE items SET pad = 'hot {}' WHERE id = k({})", other, id);
    case 3:
      return fmt::format("UPDATE items SET id = k(nextval('item_id')) WHERE id = k({})", id);
    case 4:  // two keys in one statement
      return fmt::format(
          "UPDATE items SET id = CASE id WHEN k({0}) THEN k({1} + 300000) ELSE k({0} + 300000) END "
          "WHERE id IN (k({0}), k({1}))",
          id, other);
    case 5:
      if (!crowd_.unique_key)
        return fmt::format(
            "INSERT INTO items VALUES (k({}), 5, nextval('item_u'), 'again') ON CONFLICT DO "
            "NOTHING",
            id);
      return fmt::format(
          "INSERT INTO items VALUES (k({}), 5, nextval('item_u'), 'again') ON CONFLICT (id) DO "
          "UPDATE SET a = items.a + 1",
          id);
    case 6:
      return fmt::format("UPDATE items SET big = repeat(md5('{0}'), 300) WHERE id = k({0})", id);
    case 7:  // equal, and not the same
      if (crowd_.key_type == "numeric")
        return fmt::format("UPDATE items SET id = id + 0.{} WHERE id = k({})",
                           std::string(static_cast<std::size_t>(pick(1, 5)), '0'), id);
      return fmt::format("UPDATE items SET id = id, a = a WHERE id = k({})", id);
    case 8:
      return fmt::format("UPDATE items SET a = (a + 7) % 1000 WHERE a BETWEEN {0} AND {0} + 2",
                         pick(0, 900));
    case 9:
      return Copied(400'000 + 3 * pick(0, 2'000));
    default:
      return fmt::format("UPDATE items SET a = (a + {}) % 1000 WHERE id = k({})", pick(1, 500), id);
  }
}

std::string Changes::OfTransaction(std::mt19937& dice, int id, int other) const {
  const auto pick = [&dice](int least, int most) {
    return std::uniform_int_distribution(least, most)(dice);
  };
  switch (pick(0, 9)) {
    case 0:  // two rows change places under a unique index
      return fmt::format(
          "BEGIN; UPDATE items SET u = -u WHERE id IN (k({0}), k({1})); UPDATE items i SET u = "
          "-o.u "
          "FROM items o WHERE i.id IN (k({0}), k({1})) AND o.id IN (k({0}), k({1})) AND i.id <> "
          "o.id; COMMIT",
          id, other);
    case 1:
      return fmt::format(
          "BEGIN; UPDATE items SET a = a + 1 WHERE id = k({0}); SAVEPOINT s; DELETE FROM items "
          "WHERE id = k({0}); SAVEPOINT t; INSERT INTO items VALUES (k({0}), 1); ROLLBACK TO s;"
          "UPDATE items SET pad = 'kept' WHERE id = k({0}); SAVEPOINT v; UPDATE items SET pad = "
          "'v' WHERE id = k({1}); RELEASE v; COMMIT",
          id, other);
    case 2:
      return fmt::format(
          "BEGIN; UPDATE items SET a = -1 WHERE id = k({0}); DELETE FROM items WHERE id = k({1}); "
          "ROLLBACK",
          id, other);
    case 3:  // deleted and made again
      return fmt::format(
          "BEGIN; DELETE FROM items WHERE id = k({0}); INSERT INTO items VALUES (k({0}), 9, "
          "nextval('item_u'), 'reborn'); COMMIT",
          id);
    case 4:  // long, across whatever the program does meanwhile
      if (pick(0, 5) > 0) return fmt::format("UPDATE items SET a = a + 2 WHERE id = k({})", id);
      return fmt::format(
          "BEGIN; UPDATE items SET a = a + 3 WHERE id = k({}); SELECT pg_sleep({}); DELETE FROM "
          "items WHERE id = k({}); COMMIT",
          id, 0.1 * pick(1, 9), other);
    case 5:
      return fmt::format(
          "SET session_replication_role = replica; UPDATE items SET pad = 'replayed' WHERE id = "
          "k({}); {} WHERE id = k({}); SET session_replication_role = origin",
          id, crowd_.notes ? "UPDATE items SET a = 8" : "DELETE FROM items", other);
    case 6:
      return fmt::format(
          "BEGIN; UPDATE items SET pad = 'prepared' WHERE id = k({}); DELETE FROM items WHERE id = "
          "k({}); PREPARE TRANSACTION '{}'",
          id, other, own_);
    case 7:
      return fmt::format(
          "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM items WHERE a = {0}; UPDATE "
          "items SET a = {0} WHERE id = k({1}); INSERT INTO items VALUES (k(nextval('item_id')), "
          "{0}); COMMIT",
          pick(0, 999), id);
    case 8:
      return fmt::format(
          "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM items WHERE id = k({0}); UPDATE "
          "items "
          "SET a = a + 1 WHERE id IN (k({0}), k({1})); COMMIT",
          id, other);
    default:  // under a cursor
      return fmt::format(
          "BEGIN; DECLARE c CURSOR FOR SELECT id FROM items WHERE id = k({}) FOR UPDATE; FETCH c; "
          "UPDATE items SET pad = 'of a cursor' WHERE id = k({}); CLOSE c; COMMIT",
          id, id);
  }
}

// By way of other tables, or of all rows.
std::string Changes::OfOthers(std::mt19937& dice, int id) const {
  const auto pick = [&dice](int least, int most) {
    return std::uniform_int_distribution(least, most)(dice);
  };
  constexpr const char* kSomeParent =
      "(SELECT id FROM parents ORDER BY random() LIMIT 1 FOR KEY SHARE)";
  switch (pick(0, 6)) {
    case 0:
      return fmt::format("UPDATE parents SET id = nextval('parent_id') WHERE id = {}", kSomeParent);
    case 1:
      return fmt::format(
          "BEGIN; DELETE FROM parents WHERE id = {}; INSERT INTO parents VALUES "
          "(nextval('parent_id')); COMMIT",
          kSomeParent);
    case 2:
      return fmt::format(
          "WITH p AS MATERIALIZED {} UPDATE items SET parent = p.id FROM p WHERE "
          "items.id = k({})",
          kSomeParent, id);
    case 3:  // a kind of its own
      return "BEGIN; INSERT INTO kinds VALUES (nextval('kind_id')); INSERT INTO items (id, a, "
             "kind) "
             "VALUES (k(nextval('item_id')), 3, currval('kind_id')); COMMIT";
    case 4:  // which goes when no row has it any more: a stale row elsewhere must not keep it
      return "DO $$ DECLARE gone int; BEGIN SELECT kind INTO gone FROM items WHERE kind >= 1000 "
             "LIMIT 1 FOR UPDATE; UPDATE items SET kind = NULL WHERE kind = gone; DELETE FROM "
             "kinds WHERE id = gone; END $$";
    case 5:
      if (!crowd_.truncates || pick(0, 7) > 0)
        return fmt::format("UPDATE items SET pad = pad || '.' WHERE id = k({})", id);
      return fmt::format(
          "BEGIN; SET LOCAL lock_timeout = '500ms'; TRUNCATE items{}; INSERT INTO items SELECT "
          "k(g), g, nextval('item_u') FROM generate_series(1, 150) g; COMMIT",
          crowd_.notes ? ", notes" : "");
    default:
      if (!crowd_.notes) return fmt::format("UPDATE items SET a = 4 WHERE id = k({})", id);
      return fmt::format("INSERT INTO notes SELECT id, 5 FROM items WHERE id = k({}) FOR KEY SHARE",
                         id);
  }
}

std::string Changes::One(std::mt19937& dice) const {
  const auto pick = [&dice](int least, int most) {
    return std::uniform_int_distribution(least, most)(dice);
  };
  // A third of all changes meets few rows, so that keys come and go and meet each other.
  const int id = pick(0, 2) == 0 ? pick(1, 40) : pick(1, crowd_.rows);
  const int other = id + pick(1, 30);
  const int kind = pick(0, 9);
  if (kind == 0 && crowd_.merges)
    return fmt::format(
        "MERGE INTO items USING (SELECT k({}) AS id) s ON items.id = s.id WHEN MATCHED AND a % 5 = "
        "0 "
        "THEN DELETE WHEN MATCHED THEN UPDATE SET a = items.a + 1 WHEN NOT MATCHED THEN INSERT "
        "(id, "
        "a) VALUES (s.id, 6)",
        id);
  if (kind <= 5) return OfRow(dice, id, other);
  if (kind <= 8) return OfTransaction(dice, id, other);
  return OfOthers(dice, id);
}

}  // namespace pgalter::test
