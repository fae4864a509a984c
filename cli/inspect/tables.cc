#include <fmt/format.h>

#include "cli/human.h"
#include "cli/inspect/inventory.h"
#include "cli/json_output.h"
#include "cli/report.h"
#include "cli/table.h"
#include "engine/catalog/inventory.h"
#include "engine/watch/unit.h"

namespace pgalter::cli {

namespace {

namespace json = boost::json;
using catalog::TableFacts;

constexpr double kManyDead = 0.2;    // as autovacuum_vacuum_scale_factor
constexpr double kFewRows = 1'000;   // of which nobody notices a dead one
constexpr double kSoonFrozen = 0.9;  // an autovacuum that nobody can cancel is near

std::string Bytes(std::int64_t bytes) {
  return watch::Format(static_cast<double>(bytes), watch::Unit::kBytes);
}

double DeadShare(const TableFacts& table) {
  const double rows = table.rows.value_or(0);
  const auto dead = static_cast<double>(table.dead_rows);
  return rows + dead > kFewRows ? dead / (rows + dead) : 0;
}

json::object ToJson(const TableFacts& table) {
  const auto moment = [](const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
  };
  return {{"name", table.name},
          {"kind", table.kind},
          {"logged", table.logged},
          {"key", moment(table.key)},
          {"rows",
           table.rows ? json::value(static_cast<std::int64_t>(*table.rows)) : json::value(nullptr)},
          {"dead_rows", table.dead_rows},
          {"heap_bytes", table.heap_bytes},
          {"index_bytes", table.index_bytes},
          {"toast_bytes", table.toast_bytes},
          {"vacuumed_at", moment(table.vacuumed)},
          {"analyzed_at", moment(table.analysed)},
          {"freeze_share", table.freeze_share}};
}

std::string Notes(const TableFacts& table) {
  std::string text;
  const auto note = [&](const std::string& what) {
    text += Printable(fmt::format("note: {}: {}", table.name, what)) + "\n";
  };
  if (table.key.empty() && (table.kind == "table" || table.kind == "partitioned"))
    note(
        "no primary key, and no unique one of NOT NULL columns: it cannot be rebuilt or copied "
        "into partitions");
  if (!table.rows && table.kind != "partitioned")
    note("was never analysed: how many rows it has is unknown");
  if (DeadShare(table) > kManyDead)
    note(
        fmt::format("{} of its rows are dead: VACUUM does not come by, or an old transaction keeps "
                    "it from removing them",
                    HumanShare(DeadShare(table))));
  if (table.freeze_share > kSoonFrozen)
    note(
        "is near autovacuum_freeze_max_age: an autovacuum that does not make way for locks is due");
  if (!table.logged) note("is UNLOGGED: a crash of the server empties it");
  return text;
}

}  // namespace

std::string MoreNote(std::size_t all, int most) {
  const auto shown = static_cast<std::size_t>(most);
  return all > shown
             ? fmt::format("... and {} more: --most {}, or --output json\n", all - shown, all)
             : "";
}

Task<ExitCode> InspectTables(const Context& context, guard::Session& session, pg::Oid table,
                             int most) {
  const std::vector<TableFacts> tables = co_await catalog::ReadTables(session, table);
  if (context.output == Output::kJson) {
    json::array array;
    for (const TableFacts& one : tables) array.push_back(ToJson(one));
    PrintJson({{"version", 1}, {"tables", std::move(array)}});
    co_return ExitCode::kDone;
  }
  Table text({"TABLE", "KIND", "ROWS", "SIZE", "INDEXES", "DEAD", "KEY", "VACUUMED"});
  std::string notes;
  for (const TableFacts& one : tables) {
    notes += Notes(one);
    if (text.rows() >= most) continue;
    text.Add({one.name, one.kind,
              one.rows ? HumanCount(static_cast<std::int64_t>(*one.rows)) : "unknown",
              Bytes(one.bytes()), Bytes(one.index_bytes), HumanShare(DeadShare(one)), one.key,
              one.vacuumed});
  }
  Print(text.Text() + MoreNote(tables.size(), most) + notes);
  co_return ExitCode::kDone;
}

}  // namespace pgalter::cli
