#include "batcher/partition/pair.h"

#include <fmt/format.h>

#include <iterator>

#include "planner/sql/identifier.h"

namespace pgalter::partition {

Task<Texts> ReadTexts(Session& session, std::string query, pg::Params params) {
  const pg::Result rows =
      co_await session.db().QueryParams(std::move(query), std::move(params), pg::Format::kText);
  Texts texts;
  for (int i = 0; i < rows.rows(); ++i) texts.push_back(rows.Get<std::string>(i, 0));
  co_return texts;
}

void Append(Texts& to, Texts from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

Task<std::string> SequenceOf(Session& session, std::string table, std::string column) {
  // The function takes the column's name as it is, not as SQL.
  const auto parsed = sql::ParseQualifiedName(column);
  const std::string name = parsed ? parsed->name : column;
  const pg::Result row =
      co_await session.db().Query("SELECT pg_get_serial_sequence($1, $2)", table, name);
  co_return row.Get<std::optional<std::string>>(0, 0).value_or("");
}

std::string MakeKey(const std::string& table, const std::string& name, const WidenedKey& key,
                    const std::string& index) {
  return fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {} USING INDEX {}{}", table, name,
                     key.constraint, index, key.deferrable);
}

}  // namespace pgalter::partition
