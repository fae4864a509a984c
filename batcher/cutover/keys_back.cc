#include "batcher/cutover/keys_back.h"

#include <fmt/format.h>

#include <string_view>

namespace pgalter::cutover {

using rebuild::GoingKey;

namespace {

constexpr std::string_view kAdd = " ADD CONSTRAINT ";

// Table $1 first, whether it is partitioned, and the partitions of it that hold rows.
constexpr const char* kPlaces = R"sql(
SELECT format('%I.%I', n.nspname, c.relname), c.relkind = 'p'
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass($1)
   OR c.oid IN (SELECT relid FROM pg_partition_tree(to_regclass($1)) WHERE isleaf)
ORDER BY c.oid <> to_regclass($1), c.oid
)sql";

bool IsNotValid(const std::string& add) { return add.ends_with(" NOT VALID"); }

// "ALTER TABLE t ADD CONSTRAINT k …" of another table.
std::string On(const std::string& table, const std::string& add) {
  return fmt::format("ALTER TABLE {}{}", table, add.substr(add.find(kAdd)));
}

// "ALTER TABLE t ADD CONSTRAINT k …"
std::string ValidateOf(const std::string& add) {
  const std::size_t at = add.find(kAdd);
  const std::size_t end = add.find(" FOREIGN KEY", at);
  return fmt::format("{} VALIDATE CONSTRAINT {}", add.substr(0, at),
                     add.substr(at + kAdd.size(), end - at - kAdd.size()));
}

void AddBack(const std::string& add, KeysBack& back) {
  back.after.push_back(IsNotValid(add) ? add : add + " NOT VALID");
  if (!IsNotValid(add)) back.validate.push_back(ValidateOf(add));
}

// A partitioned table takes no key NOT VALID before PostgreSQL 18: its partitions do.
Task<> AddOthers(Session& session, const GoingKey& key, KeysBack& back) {
  const pg::Result places = co_await session.db().Query(kPlaces, key.table);
  bool adopts = false;
  for (int i = 0; i < places.rows(); ++i) {
    if (IsNotValid(key.add) && i > 0) break;
    if (places.Get<bool>(i, 1) && !IsNotValid(key.add)) {
      back.adopt.push_back(key.add);
      adopts = true;
    } else {
      AddBack(On(places.Get<std::string>(i, 0), key.add), back);
    }
  }
  if (places.empty() || key.comment.empty()) co_return;
  (adopts ? back.adopt : back.after).push_back(key.comment);
}

}  // namespace

Task<KeysBack> ReadKeysBack(Session& session, const std::vector<GoingKey>& keys, std::string own) {
  KeysBack back;
  for (const GoingKey& key : keys) {
    if (key.table != own) {
      co_await AddOthers(session, key, back);
      continue;
    }
    AddBack(key.add, back);
    if (!key.comment.empty()) back.after.push_back(key.comment);
  }
  co_return back;
}

}  // namespace pgalter::cutover
