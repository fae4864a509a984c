#include "batcher/partition/self_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace pgalter::partition {

using Texts = std::vector<std::string>;

namespace {

// Of the whole first, and then those that partitions have for themselves.
constexpr const char* kKeys = R"sql(
SELECT f.conrelid = $1, format('%I.%I', n.nspname, c.relname), quote_ident(f.conname),
       regexp_replace(pg_get_constraintdef(f.oid), ' NOT VALID$', ''),
       pg_get_constraintdef(f.oid), f.convalidated,
       quote_literal(obj_description(f.oid, 'pg_constraint'))
FROM pg_partition_tree($1::oid::regclass) t
JOIN pg_constraint f ON f.conrelid = t.relid AND f.contype = 'f' AND f.conparentid = 0
JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE f.confrelid = $1
ORDER BY t.level, 2, 3
)sql";

constexpr const char* kLeaves = R"sql(
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_partition_tree($1::oid::regclass) t
JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE t.isleaf AND t.relid <> $1 ORDER BY 1
)sql";

// Of the parts that partitions have of them.
constexpr const char* kComments = R"sql(
SELECT format('%I.%I', n.nspname, c.relname),
       format('COMMENT ON CONSTRAINT %I ON %I.%I IS %L', f.conname, n.nspname, c.relname, d)
FROM pg_partition_tree($1::oid::regclass) t
JOIN pg_constraint f ON f.conrelid = t.relid AND f.contype = 'f' AND f.confrelid = $1
JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL obj_description(f.oid, 'pg_constraint') d
WHERE t.isleaf AND t.relid <> $1 AND d IS NOT NULL ORDER BY 2
)sql";

// Keys of the whole, and its partitions.
constexpr const char* kCounts = R"sql(
SELECT (SELECT count(*) FROM pg_constraint
        WHERE contype = 'f' AND conrelid = $1 AND confrelid = $1 AND conparentid = 0),
       (SELECT count(*) FROM pg_partition_tree($1::oid::regclass) WHERE isleaf AND relid <> $1)
)sql";

// From this version on, a partitioned table takes a foreign key that is not valid.
constexpr int kTakesNotValid = 180000;

// The key of each partition refers to each. Of the server's own time (version 15), whatever else
// the machine did: 26 partitions took 93 ms, 61 took 670 ms.
constexpr double kOfEachTwo = 0.14;  // ms

// One of the whole, or that it is to adopt.
struct Key {
  std::string name;        // quoted
  std::string definition;  // "FOREIGN KEY … REFERENCES …"
  std::string adopt;       // the same as the whole has it
  bool valid = true;
  std::string comment;  // a literal; empty: none
};

bool Has(const Texts& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

class Reader {
 public:
  Reader(Session& session, pg::Oid whole, Exchanged exchanged, cutover::Staying staying)
      : session_(session),
        whole_(whole),
        exchanged_(std::move(exchanged)),
        unsettled_(std::move(staying.unsettled)),
        unadopted_(std::move(staying.unadopted)) {}

  Task<SelfKeys> Read() {
    co_await ReadKeys();
    if (keys_.empty() || !found_.stranger.empty()) co_return std::move(found_);
    if (session_.db().server_version() < kTakesNotValid)
      co_await WriteForPartitions();
    else
      WriteForWhole();
    co_await WriteComments();
    co_return std::move(found_);
  }

 private:
  Task<> ReadKeys() {
    const pg::Result rows = co_await session_.db().Query(kKeys, whole_);
    for (int i = 0; i < rows.rows(); ++i) {
      const auto table = rows.Get<std::string>(i, 1);
      Key key;
      key.name = rows.Get<std::string>(i, 2);
      key.definition = rows.Get<std::string>(i, 3);
      key.adopt = rows.Get<std::string>(i, 4);
      key.valid = rows.Get<bool>(i, 5);
      key.comment = rows.Get<std::optional<std::string>>(i, 6).value_or("");
      found_.before.push_back(fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", table, key.name));
      const bool of_whole = rows.Get<bool>(i, 0);
      const bool known = of_whole || Adopts(key);
      if (!known) found_.stranger = fmt::format("foreign key {} of {}", key.name, table);
      if (known && !std::ranges::count(keys_, key.name, &Key::name)) keys_.push_back(key);
    }
  }

  [[nodiscard]] std::string Adoption(const Key& key) const {
    return fmt::format("ALTER TABLE {} ADD CONSTRAINT {} ", exchanged_.whole, key.name);
  }
  [[nodiscard]] std::string Commenting(const Key& key, const std::string& table) const {
    return fmt::format("COMMENT ON CONSTRAINT {} ON {} IS ", key.name, table);
  }

  // Of a partition: what the exchange before has left. Then it says how the whole had it.
  bool Adopts(Key& key) const {
    const std::string adoption = Adoption(key);
    for (const std::string& sql : unadopted_) {
      if (!sql.starts_with(adoption)) continue;
      key.adopt = sql.substr(adoption.size());
      key.valid = !key.adopt.ends_with(" NOT VALID");
      key.comment.clear();
      return true;
    }
    return false;
  }

  void WriteForWhole() {
    for (const Key& key : keys_) {
      const std::string validate =
          fmt::format("ALTER TABLE {} VALIDATE CONSTRAINT {}", exchanged_.whole, key.name);
      found_.after.push_back(Adoption(key) + key.definition + " NOT VALID");
      if (key.valid || Has(unsettled_, validate)) found_.later.validate.push_back(validate);
      if (!key.comment.empty())
        found_.after.push_back(Commenting(key, exchanged_.whole) + key.comment);
    }
  }

  Task<> WriteForPartitions() {
    const pg::Result rows = co_await session_.db().Query(kLeaves, whole_);
    Texts leaves;
    for (int i = 0; i < rows.rows(); ++i) leaves.push_back(rows.Get<std::string>(i, 0));
    std::erase_if(leaves, [&](const std::string& leaf) { return Has(exchanged_.going, leaf); });
    leaves.insert(leaves.end(), exchanged_.coming.begin(), exchanged_.coming.end());
    for (const Key& key : keys_) {
      for (const std::string& leaf : leaves) AddTo(leaf, key);
      found_.later.adopt.push_back(Adoption(key) + key.adopt);
      AddComment(key);
    }
  }

  Task<> WriteComments() {
    const pg::Result comments = co_await session_.db().Query(kComments, whole_);
    for (int i = 0; i < comments.rows(); ++i)
      if (!Has(exchanged_.going, comments.Get<std::string>(i, 0)))
        found_.after.push_back(comments.Get<std::string>(i, 1));
  }

  // A partition may be gone by the time its key is validated.
  void AddTo(const std::string& leaf, const Key& key) {
    found_.after.push_back(fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {} NOT VALID", leaf,
                                       key.name, key.definition));
    if (key.valid)
      found_.later.validate.push_back(
          fmt::format("ALTER TABLE IF EXISTS {} VALIDATE CONSTRAINT {}", leaf, key.name));
  }

  // One that is adopted already may still lack its own.
  void AddComment(const Key& key) {
    const std::string says = Commenting(key, exchanged_.whole);
    if (!key.comment.empty()) found_.later.adopt.push_back(says + key.comment);
    for (const std::string& sql : unadopted_)
      if (key.comment.empty() && sql.starts_with(says)) found_.later.adopt.push_back(sql);
  }

  Session& session_;
  pg::Oid whole_;
  Exchanged exchanged_;
  Texts unsettled_;
  Texts unadopted_;
  std::vector<Key> keys_;
  SelfKeys found_;
};

}  // namespace

Task<SelfKeys> ReadSelfKeys(Session& session, pg::Oid whole, Exchanged exchanged,
                            cutover::Staying staying) {
  Reader reader(session, whole, std::move(exchanged), std::move(staying));
  co_return co_await reader.Read();
}

Task<async::Milliseconds> SelfKeysTake(Session& session, pg::Oid whole, std::int64_t more) {
  const pg::Result row = co_await session.db().Query(kCounts, whole);
  const auto keys = static_cast<double>(row.Get<std::int64_t>(0, 0));
  const auto leaves = static_cast<double>(row.Get<std::int64_t>(0, 1)) + static_cast<double>(more);
  double takes = keys * leaves * leaves * kOfEachTwo;
  if (session.db().server_version() >= kTakesNotValid) takes = 0;
  co_return async::Milliseconds(std::llround(takes));
}

}  // namespace pgalter::partition
