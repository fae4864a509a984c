// Which --alter is for which table, and in which order tables are locked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batcher/cutover/lock_order.h"
#include "cli/rebuild_tables.h"
#include "cli/rejected.h"

namespace pgalter {
namespace {

using cli::ReadTableWishes;
using cutover::LockOrder;
using cutover::Pairing;
using ::testing::ElementsAre;

TEST(TableWishes, BeginWithTheirTable) {
  const auto wishes = ReadTableWishes({"orders", "shop.\"Order: Lines\""},
                                      {"shop.\"Order: Lines\" : ALTER a TYPE bigint",
                                       " orders:ALTER id TYPE bigint USING id::bigint"},
                                      {"orders: v = w::text", "orders:x = 1"});
  ASSERT_EQ(wishes.size(), 2U);
  EXPECT_EQ(wishes[0].alter, "ALTER id TYPE bigint USING id::bigint");
  EXPECT_THAT(wishes[0].maps, ElementsAre("v = w::text", "x = 1"));
  EXPECT_EQ(wishes[1].alter, "ALTER a TYPE bigint");
  EXPECT_THAT(wishes[1].maps, ElementsAre());
}

TEST(TableWishes, OfOneTableNeedNot) {
  EXPECT_EQ(ReadTableWishes({"t"}, {"ALTER a TYPE int"}, {"a = b"})[0].alter, "ALTER a TYPE int");
  EXPECT_EQ(ReadTableWishes({"t"}, {"t: ALTER a TYPE int"}, {})[0].alter, "ALTER a TYPE int");
}

TEST(TableWishes, AreRefusedWhereTheyAreNotClear) {
  for (const char* alter : {"ALTER a TYPE int", "t2: DROP b", "t :: x", "t1:", "t1x: DROP b"}) {
    SCOPED_TRACE(alter);
    EXPECT_THROW(ReadTableWishes({"t1", "t"}, {alter}, {}), cli::Rejected);
  }
  EXPECT_THROW(ReadTableWishes({"t", "t"}, {}, {}), cli::Rejected);
  EXPECT_THROW(ReadTableWishes({"t"}, {"DROP a", "DROP b"}, {}), cli::Rejected);
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
