// Which --alter is for which table, and in which order tables are locked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batcher/cutover/lock_order.h"
#include "cli/rebuild_tables.h"
#include "cli/rejected.h"

namespace pgalter {
namespace {

using cli::ReadTableWishes;
using cli::TableOptions;
using cutover::LockOrder;
using cutover::Pairing;
using ::testing::ElementsAre;

TEST(TableWishes, BeginWithTheirTable) {
  TableOptions options;
  options.alters = {"shop.\"Order: Lines\" : ALTER a TYPE bigint",
                    " orders:ALTER id TYPE bigint USING id::bigint"};
  options.maps = {"orders: v = w::text", "orders:x = 1"};
  options.orders = {"shop.\"Order: Lines\": made, id"};
  const auto wishes = ReadTableWishes({"orders", "shop.\"Order: Lines\""}, options);
  ASSERT_EQ(wishes.size(), 2U);
  EXPECT_EQ(wishes[0].alter, "ALTER id TYPE bigint USING id::bigint");
  EXPECT_THAT(wishes[0].maps, ElementsAre("v = w::text", "x = 1"));
  EXPECT_EQ(wishes[1].alter, "ALTER a TYPE bigint");
  EXPECT_THAT(wishes[1].maps, ElementsAre());
  EXPECT_EQ(wishes[0].order_by, "");
  EXPECT_EQ(wishes[1].order_by, "made, id");
}

TEST(TableWishes, OfOneTableNeedNot) {
  for (const char* prefix : {"", "t: "}) {
    TableOptions options;
    options.alters = {std::string(prefix) + "ALTER a TYPE int"};
    options.maps = {std::string(prefix) + "a = b"};
    options.orders = {std::string(prefix) + "a, b"};
    options.tablespaces = {std::string(prefix) + "fast"};
    const auto wishes = ReadTableWishes({"t"}, options);
    EXPECT_EQ(wishes[0].alter, "ALTER a TYPE int");
    EXPECT_THAT(wishes[0].maps, ElementsAre("a = b"));
    EXPECT_EQ(wishes[0].order_by, "a, b");
    EXPECT_EQ(wishes[0].tablespace, "fast");
  }
}

TEST(TableWishes, StorageIsOfOneTableOrOfAllOthers) {
  TableOptions options;
  options.tablespaces = {"slow", "b: fast"};
  options.access_methods = {"c: heap"};
  const auto wishes = ReadTableWishes({"a", "b", "c"}, options);
  EXPECT_EQ(wishes[0].tablespace, "slow");
  EXPECT_EQ(wishes[1].tablespace, "fast");
  EXPECT_EQ(wishes[2].tablespace, "slow");
  EXPECT_EQ(wishes[0].access_method, "");
  EXPECT_EQ(wishes[2].access_method, "heap");
}

TEST(TableWishes, WithADefinitionStorageNamesItsTable) {
  TableOptions options;
  options.has_definition = true;
  options.tablespaces = {"b: fast"};
  EXPECT_EQ(ReadTableWishes({"a", "b"}, options)[1].tablespace, "fast");
  EXPECT_THROW(ReadTableWishes({"b"}, options), cli::Rejected);
  options.tablespaces = {"fast"};
  EXPECT_THROW(ReadTableWishes({"a", "b"}, options), cli::Rejected);
}

TEST(TableWishes, AreRefusedWhereTheyAreNotClear) {
  for (const char* alter : {"ALTER a TYPE int", "t2: DROP b", "t :: x", "t1:", "t1x: DROP b"}) {
    SCOPED_TRACE(alter);
    TableOptions options;
    options.alters = {alter};
    EXPECT_THROW(ReadTableWishes({"t1", "t"}, options), cli::Rejected);
    options.orders.swap(options.alters);
    EXPECT_THROW(ReadTableWishes({"t1", "t"}, options), cli::Rejected);
  }
  EXPECT_THROW(ReadTableWishes({"t", "t"}, {}), cli::Rejected);
  for (auto said : {&TableOptions::alters, &TableOptions::orders, &TableOptions::tablespaces,
                    &TableOptions::access_methods}) {
    TableOptions options;
    options.*said = {"a", "b"};
    EXPECT_THROW(ReadTableWishes({"t"}, options), cli::Rejected);
    options.*said = {"t: a", "t: b"};
    EXPECT_THROW(ReadTableWishes({"t", "u"}, options), cli::Rejected);
  }
  TableOptions of_all;
  of_all.tablespaces = {"a", "b"};
  EXPECT_THROW(ReadTableWishes({"t", "u"}, of_all), cli::Rejected);
}

Pairing Of(const char* name, std::vector<std::string> referenced,
           std::vector<std::string> referencing) {
  return {name, std::string("new.") + name, {std::move(referenced), std::move(referencing)}};
}

TEST(LockOrder, ReferencedTablesComeFirst) {
  EXPECT_THAT(LockOrder({Of("grandchild", {"child"}, {"log"}),
                         Of("child", {"kind", "parent"}, {"grandchild", "note"}),
                         Of("parent", {"kind"}, {"child", "note"})}),
              ElementsAre("kind", "parent", "new.parent", "child", "new.child", "grandchild",
                          "new.grandchild", "log", "note"));
}

TEST(LockOrder, OfACircleIsThatOfTheTables) {
  EXPECT_THAT(LockOrder({Of("a", {"b"}, {"b"}), Of("b", {"a"}, {"a"})}),
              ElementsAre("a", "new.a", "b", "new.b"));
}

TEST(LockOrder, OfOneTableIsAsItWas) {
  EXPECT_THAT(LockOrder({Of("t", {"up"}, {"down"})}), ElementsAre("up", "t", "new.t", "down"));
}

}  // namespace
}  // namespace pgalter
