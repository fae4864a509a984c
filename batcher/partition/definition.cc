#include "batcher/partition/definition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "batcher/backfill/kept_out.h"
#include "batcher/backfill/target.h"
#include "batcher/partition/alike.h"
#include "batcher/partition/cuts.h"
#include "batcher/partition/extent.h"
#include "batcher/partition/homeless.h"
#include "batcher/partition/index_place.h"
#include "batcher/partition/key_value.h"
#include "batcher/partition/lookup.h"
#include "batcher/partition/primary_key.h"
#include "batcher/partition/whole.h"
#include "batcher/rebuild/definition.h"
#include "engine/run/failure.h"
#include "planner/sql/identifier.h"

namespace pgalter::partition {

using run::ExitCode;
using run::Failure;
using sql::QuoteIdentifier;

namespace {

// Keys that hold the column, as the server says them; the others come from the widened ones.
constexpr const char* kKeyDefinition = R"sql(
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = $1 AND quote_ident(conname) = $2 AND contype IN ('p', 'u')
)sql";

// What a partitioned table cannot have, and what would be lost or fail at the end of a copy, each
// with the way out; $1 the table, $2 the keys that are widened.
constexpr const char* kInTheWay = R"sql(
SELECT format('constraint %I excludes rows, which no partitioned table can: drop it first',
              conname)
FROM pg_constraint WHERE conrelid = $1 AND contype = 'x'
UNION ALL
SELECT format('constraint %I is over a period, WITHOUT OVERLAPS or PERIOD, which the new table is not '
              'given: drop it before, and add it again after', conname)
FROM pg_constraint k WHERE conrelid = $1 AND (to_jsonb(k)->>'conperiod')::bool
UNION ALL
SELECT format('view %s leans on constraint %I, which changes: name all columns in its GROUP BY, or '
              'drop it before and make it again after', r.ev_class::regclass, c.conname)
FROM pg_constraint c
JOIN pg_depend d ON d.refclassid = 'pg_constraint'::regclass AND d.refobjid = c.oid
  AND d.classid = 'pg_rewrite'::regclass
JOIN pg_rewrite r ON r.oid = d.objid
WHERE c.conrelid = $1 AND quote_ident(c.conname) = ANY ($2::text[])
)sql";

// Whether the column may be NULL, and whether it is a part of the primary key to come, which has
// none; $1 the table, $2 the column.
constexpr const char* kNulls = R"sql(
SELECT NOT a.attnotnull, EXISTS (SELECT FROM pg_constraint WHERE conrelid = $1 AND contype = 'p')
FROM pg_attribute a WHERE a.attrelid = $1 AND a.attname = $2
)sql";

class Writer {
 public:
  Writer(Session& session, const backfill::Table& table, const Division& division)
      : session_(session),
        table_(table),
        division_(division),
        relname_(QuoteIdentifier(table.relname)),
        home_(table.name.substr(0, table.name.size() - relname_.size() - 1)) {}

  Task<Definition> Write() {
    storage_ = co_await StorageOf(session_, table_.name);
    columns_ = co_await ColumnsLike(session_, table_.name, table_.name);
    std::vector<std::string> partitions;
    std::string by;
    const std::string column = QuoteIdentifier(division_.column);
    co_await ReadNulls();
    switch (division_.by) {
      case By::kRange:
        by = fmt::format("RANGE ({})", column);
        if (division_.cuts.empty()) {
          partitions = co_await Ranges();
        } else {
          partitions = co_await CutUp();
        }
        break;
      case By::kList:
        by = fmt::format("LIST ({})", column);
        partitions = co_await Lists();
        break;
      case By::kHash:
        by = fmt::format("HASH ({})", column);
        partitions = Hashes();
        break;
    }
    const std::string table = co_await Table(by);
    co_await RefuseInTheWay();
    co_await RefuseRowsWithoutPlace();
    const std::vector<std::string> indexes = Indexes();
    definition_.by = by;
    definition_.then = division_.then.by;
    definition_.script = fmt::format("{};\n{};\n", table, fmt::join(partitions, ";\n"));
    for (const std::string& index : indexes) definition_.script += index + ";\n";
    co_return std::move(definition_);
  }

 private:
  std::string Partition(const std::string& end, const std::string& bound) {
    const std::string name = PartName(table_.relname, end);
    const std::string whole = home_ + "." + name;
    definition_.partitions.push_back({whole, name, bound});
    const std::string text = fmt::format("TABLE {} PARTITION OF {} {}", whole, table_.name, bound);
    const auto parsed = sql::ParseQualifiedName(name);
    std::vector<std::string> statements;
    if (!division_.then.any() || !parsed || bound == "DEFAULT") {
      statements.push_back(fmt::format("CREATE {}{}{}", storage_.persistence, text, storage_.rest));
      AddFor(whole, columns_, statements);
    } else {
      statements.push_back(fmt::format("CREATE {} PARTITION BY {}", text, division_.then.by));
      AddFor(whole, columns_, statements);
      AddParts(parsed->name, statements);
    }
    return fmt::format("{}", fmt::join(statements, ";\n"));
  }

  // Of the partition of this name, not quoted.
  void AddParts(const std::string& relname, std::vector<std::string>& statements) const {
    Subdivision then = division_.then;
    for (SubPart& part : then.parts) part.persistence = storage_.persistence;
    for (std::string& part : MakeSubParts(then, home_, relname, storage_.rest))
      statements.push_back(std::move(part));
    for (const std::string& part : NamesOf(then, relname))
      AddFor(home_ + "." + part, columns_, statements);
  }

  void AddDefault(std::vector<std::string>& partitions) {
    has_default_ = true;
    partitions.push_back(Partition("_default", "DEFAULT"));
  }

  Task<> ReadNulls() {
    const pg::Result row = co_await session_.db().Query(kNulls, table_.oid, division_.column);
    nullable_ = row.Get<bool>(0, 0);
    in_primary_key_ = row.Get<bool>(0, 1);
    if (nullable_ && in_primary_key_)
      definition_.remarks.push_back(
          fmt::format("column {} becomes NOT NULL, as a part of the primary key",
                      QuoteIdentifier(division_.column)));
  }

  Task<std::vector<std::string>> Ranges() {
    const KeyColumn column =
        co_await FindColumn(session_, table_, division_.column, division_.epoch);
    const Period period = PeriodOf(division_.every, column);
    // Where there is no row, ranges begin at the clock, or at 0.
    Extent extent;
    if (division_.from) extent.from = division_.from->text;
    if (division_.to) extent.to = division_.to->text;
    extent.time_zone = division_.time_zone;
    extent.more = division_.premake;
    extent.with_default = division_.with_default;
    RangedRows rows = co_await RangesOfRows(session_, table_, column, period, std::move(extent));
    for (std::string& remark : rows.remarks) definition_.remarks.push_back(std::move(remark));
    std::vector<std::string> partitions;
    for (const Range& range : rows.ranges)
      partitions.push_back(Partition(
          "_p" + range.name, fmt::format("FOR VALUES FROM ({}) TO ({})", range.from, range.to)));
    if (division_.with_default) AddDefault(partitions);
    co_return partitions;
  }

  Task<std::vector<std::string>> CutUp() {
    Cuts cuts;
    cuts.at = division_.cuts;
    cuts.from = division_.from;
    cuts.to = division_.to;
    cuts.time_zone = division_.time_zone;
    const CutRanges cut =
        co_await RangesOfCuts(session_, table_, division_.column, std::move(cuts));
    inside_ = cut.inside;
    std::vector<std::string> partitions;
    for (const CutRange& range : cut.ranges)
      partitions.push_back(Partition(range.end, range.bound));
    const bool all = !division_.from && !division_.to && (!nullable_ || in_primary_key_);
    if (all && division_.default_asked)
      throw Failure(ExitCode::kUsage,
                    fmt::format("--default yes: the ranges hold every value of {}, from MINVALUE "
                                "to MAXVALUE, and it has no NULL: nothing would be left for a "
                                "default partition",
                                QuoteIdentifier(division_.column)));
    if (division_.with_default && !all) AddDefault(partitions);
    co_return partitions;
  }

  // The server's refusal of the whole definition would name a file that nobody has given.
  Task<> RefuseOtherValues(const Whole& whole) {
    std::string why;
    try {
      co_await session_.db().Query(
          fmt::format("SELECT FROM {} WHERE {} LIMIT 0", table_.name, inside_));
    } catch (const pg::PgError& error) {
      if (!session_.db().open()) throw;
      if (error.sqlstate().starts_with("22")) why = error.what();
    }
    if (!why.empty())
      throw Failure(ExitCode::kUsage,
                    fmt::format("--values has what is no value of column {} of {}, which is of "
                                "type {}: {}",
                                whole.column, table_.name, whole.type, why));
  }

  Task<std::vector<std::string>> Lists() {
    const Whole whole = co_await WholeToBe(session_, table_, division_.column);
    std::vector<std::string> partitions;
    for (const SubPart& part : ByList(division_.column, division_.lists).parts)
      partitions.push_back(Partition(part.end, part.bound));
    std::vector<std::string> values;
    for (const ListPart& list : division_.lists)
      for (const Given& value : list.values) values.push_back(LiteralOf(value));
    inside_ = AmongOf(whole, values);
    co_await RefuseOtherValues(whole);
    if (division_.with_default) AddDefault(partitions);
    co_return partitions;
  }

  std::vector<std::string> Hashes() {
    std::vector<std::string> partitions;
    for (const SubPart& part : ByHash(division_.column, division_.modulus).parts)
      partitions.push_back(Partition(part.end, part.bound));
    return partitions;
  }

  Task<std::string> Table(std::string by) {
    const std::vector<std::string> columns = PartColumns(division_);
    keys_ = co_await FindWidenedKeys(session_, table_.oid, columns);
    co_await NameColumns(session_, table_, division_.primary_key, columns, keys_);
    RefuseWeaker();
    std::string keys;
    for (const WidenedKey& key : keys_)
      if (!key.constraint.empty())
        keys += fmt::format(",\n  CONSTRAINT {} {} ({}){}", key.index, key.constraint, key.wide,
                            StoredKey(key));
    indexes_ = co_await rebuild::ReadIndexes(session_, table_.oid, table_.name, table_.name, home_);
    places_ = co_await PlacesOf(session_, table_.oid);
    for (const rebuild::Index& index : indexes_) {
      if (index.constraint.empty() || IsWidened(index.name)) continue;
      const pg::Result row = co_await session_.db().Query(kKeyDefinition, table_.oid, index.name);
      if (!row.empty())
        keys += fmt::format(",\n  CONSTRAINT {} {}", index.name,
                            PlaceKey(row.Get<std::string>(0, 0), places_[index.name]));
    }
    co_return fmt::format(
        "CREATE TABLE {0} (LIKE {0} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
        "INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS{1}) "
        "PARTITION BY {2}{3}",
        table_.name, keys, by, storage_.tablespace);
  }

  Task<> RefuseInTheWay() {
    std::vector<std::string> widened;
    for (const WidenedKey& key : keys_) widened.push_back(key.index);
    const pg::Result rows = co_await session_.db().Query(kInTheWay, table_.oid, widened);
    if (!rows.empty())
      throw Failure(ExitCode::kRefused, fmt::format("cannot part {}: {}. Nothing was changed",
                                                    table_.name, rows.Get<std::string>(0, 0)));
  }

  // The copy would find them at its end. What lies before or behind ranges of a width is known from
  // their ends.
  Task<> RefuseRowsWithoutPlace() {
    const std::string column = QuoteIdentifier(division_.column);
    const std::string not_null = column + " IS NOT NULL";
    const bool never_null = nullable_ && in_primary_key_;
    if (never_null)
      co_await RefuseRowsBut(
          not_null, fmt::format("it has rows whose {} is NULL, which a part of the primary "
                                "key, as it would be, cannot be: give them another value",
                                column));
    if (has_default_ || division_.by == By::kHash) co_return;
    const bool all_values = inside_.empty() || inside_ == not_null;
    if (!all_values) {
      const char* const other =
          division_.by == By::kList ? "more --values" : "other --from and --to";
      std::string why = fmt::format(
          "it has rows whose {} belongs into no partition, and no default one is to be made: {}, "
          "or --default yes",
          column, other);
      co_await RefuseRowsBut(inside_, std::move(why));
    } else if (nullable_ && !never_null) {
      co_await RefuseRowsBut(not_null,
                             fmt::format("it has rows whose {} is NULL, which no range holds: give "
                                         "them another value, or --default yes",
                                         column));
    }
  }

  Task<> RefuseRowsBut(std::string inside, std::string why) {
    std::string unknown =
        co_await RefuseHomeless(session_, table_, std::move(inside), std::move(why));
    if (!unknown.empty()) definition_.remarks.push_back(std::move(unknown));
  }

  void RefuseWeaker() const {
    for (const WidenedKey& key : keys_)
      if (key.constraint != "PRIMARY KEY" && !division_.allow_weaker_keys)
        throw Failure(
            ExitCode::kRefused,
            fmt::format(
                "cannot part {}: unique key {} ({}) lacks {}. --allow-weaker-keys makes it "
                "({}), which two rows with the same {} can meet; or drop it before. Nothing "
                "was changed",
                table_.name, key.index, key.columns, key.lacks, key.wide, key.columns));
  }

  std::vector<std::string> Indexes() {
    std::vector<std::string> statements;
    for (const WidenedKey& key : keys_)
      if (key.constraint.empty())
        statements.push_back(fmt::format("CREATE UNIQUE INDEX {} ON {} ({}){}", key.index,
                                         table_.name, key.wide, StoredIndex(key)));
    for (const rebuild::Index& index : indexes_)
      if (index.constraint.empty() && !IsWidened(index.name))
        statements.push_back(PlaceIndex(index.create, places_[index.name]));
    return statements;
  }

  [[nodiscard]] bool IsWidened(const std::string& index) const {
    for (const WidenedKey& key : keys_)
      if (key.index == index) return true;
    return false;
  }

  Session& session_;
  const backfill::Table& table_;
  const Division& division_;
  std::string relname_;
  std::string home_;  // the table's schema
  Storage storage_;
  Forms columns_;
  Definition definition_;
  bool nullable_ = false;
  bool in_primary_key_ = false;
  bool has_default_ = false;
  std::string inside_;  // the rows that its lists or cuts hold, as a condition
  std::vector<WidenedKey> keys_;
  std::vector<rebuild::Index> indexes_;
  IndexPlaces places_;
};

}  // namespace

std::vector<std::string> PartColumns(const Division& division) {
  std::vector<std::string> columns{division.column};
  if (!division.then_column.empty() && division.then_column != division.column)
    columns.push_back(division.then_column);
  return columns;
}

Subdivision ByHash(const std::string& column, int modulus) {
  Subdivision division;
  division.by = fmt::format("HASH ({})", QuoteIdentifier(column));
  for (int i = 0; i < modulus; ++i) {
    SubPart part;
    part.end = fmt::format("_h{}", i);
    part.bound = fmt::format("FOR VALUES WITH (MODULUS {}, REMAINDER {})", modulus, i);
    division.parts.push_back(std::move(part));
  }
  return division;
}

Subdivision ByList(const std::string& column, const std::vector<ListPart>& lists) {
  Subdivision division;
  division.by = fmt::format("LIST ({})", QuoteIdentifier(column));
  for (const ListPart& list : lists) {
    std::vector<std::string> values;
    for (const Given& value : list.values) values.push_back(LiteralOf(value));
    SubPart part;
    part.end = "_" + list.name;
    part.bound = fmt::format("FOR VALUES IN ({})", fmt::join(values, ", "));
    division.parts.push_back(std::move(part));
  }
  return division;
}

Task<Definition> DefinitionOf(Session& session, std::string table, Division division) {
  const backfill::Table found = co_await FindOwned(session, std::move(table), "partition");
  if (found.partitioned)
    throw Failure(
        ExitCode::kRefused,
        fmt::format("{0} is partitioned already: pgalter partition list {0} shows how, and "
                    "pgalter rebuild {0} --definition FILE parts it otherwise. Nothing "
                    "was changed",
                    found.name));
  co_await backfill::RefuseUnreadable(session, found, "look at what a conversion needs of");
  co_await RefuseUnknownZone(session, division.time_zone);
  co_await RequireColumn(session, found, division.column);
  if (!division.then_column.empty()) {
    co_await RequireColumn(session, found, division.then_column);
    co_await RequireNotNull(session, found, division.then_column);
  }
  Writer writer(session, found, division);
  co_return co_await writer.Write();
}

}  // namespace pgalter::partition
