#include "batcher/partition/spec.h"

#include <boost/json/array.hpp>

#include "engine/state/json_texts.h"

namespace pgalter::partition {

namespace json = boost::json;

namespace {

using state::ArrayOf;
using state::Text;

// A run of an older program does not say.
std::string TextOrNone(const json::object& object, const char* name) {
  return object.contains(name) ? Text(object, name) : std::string();
}

std::vector<std::string> TextsOf(const json::object& object, const char* name) {
  const json::value* array = object.if_contains(name);
  return array == nullptr ? std::vector<std::string>() : state::TextsOf(*array);
}

json::array ToJson(const std::vector<WidenedKey>& keys) {
  json::array array;
  for (const WidenedKey& key : keys)
    array.push_back({{"index", key.index},
                     {"constraint", key.constraint},
                     {"columns", key.columns},
                     {"wide", key.wide},
                     {"rest", key.rest},
                     {"storage", key.storage},
                     {"tablespace", key.tablespace},
                     {"deferrable", key.deferrable},
                     {"build", key.build}});
  return array;
}

json::array ToJson(const std::vector<Identity>& identities) {
  json::array array;
  for (const Identity& identity : identities)
    array.push_back({{"column", identity.column},
                     {"kind", identity.kind},
                     {"name", identity.name},
                     {"options", identity.options}});
  return array;
}

json::object ToJson(const Subdivision& then) {
  json::array parts;
  for (const SubPart& part : then.parts)
    parts.push_back({{"end", part.end}, {"bound", part.bound}});
  return {{"by", then.by}, {"parts", std::move(parts)}};
}

Subdivision ThenFromJson(const json::object& json) {
  Subdivision then;
  then.by = Text(json, "by");
  for (const json::value& value : json.at("parts").as_array()) {
    const json::object& object = value.as_object();
    SubPart part;
    part.end = Text(object, "end");
    part.bound = Text(object, "bound");
    then.parts.push_back(std::move(part));
  }
  return then;
}

}  // namespace

json::array ToJson(const std::vector<InboundCheck>& checks) {
  json::array array;
  for (const InboundCheck& check : checks)
    array.push_back({{"table", check.table},
                     {"name", check.name},
                     {"function", check.function},
                     {"rows", check.rows},
                     {"refers", check.refers},
                     {"columns", json::array(check.columns.begin(), check.columns.end())},
                     {"refers_function", check.refers_function},
                     {"relid", check.relid}});
  return array;
}

json::object ToJson(const Spec& spec) {
  json::array next;
  for (const Range& range : spec.next)
    next.push_back({{"name", range.name}, {"from", range.from}, {"to", range.to}});
  return {{"table", spec.table},
          {"column", spec.column.name},
          {"type", static_cast<int>(spec.column.type)},
          {"period", ToString(spec.period)},
          {"time_zone", spec.time_zone},
          {"premake", spec.premake},
          {"with_default", spec.with_default},
          {"allow_weaker_keys", spec.allow_weaker_keys},
          {"inbound_fk", static_cast<int>(spec.inbound_fk)},
          {"settings", guard::ToJson(spec.settings)},
          {"schema", spec.schema},
          {"relname", spec.relname},
          {"home", spec.home},
          {"first", spec.first},
          {"upto", spec.upto},
          {"next", next},
          {"rest", spec.rest},
          {"keys", ToJson(spec.keys)},
          {"identities", ToJson(spec.identities)},
          {"inbound", ArrayOf(spec.inbound)},
          {"inbound_tables", ArrayOf(spec.inbound_tables)},
          {"inbound_relids", json::array(spec.inbound_relids.begin(), spec.inbound_relids.end())},
          {"inbound_comments", ArrayOf(spec.inbound_comments)},
          {"inbound_make", ArrayOf(spec.inbound_make)},
          {"inbound_drop", ArrayOf(spec.inbound_drop)},
          {"inbound_checks", ToJson(spec.inbound_checks)},
          {"then_column", spec.then_column},
          {"then", ToJson(spec.then)}};
}

std::vector<std::string> PartColumns(const Spec& spec) {
  std::vector<std::string> columns{spec.column.name};
  if (!spec.then_column.empty() && spec.then_column != spec.column.name)
    columns.push_back(spec.then_column);
  return columns;
}

Spec FromJson(const json::object& json) {
  Spec spec;
  spec.table = Text(json, "table");
  spec.column.name = Text(json, "column");
  spec.column.type = static_cast<KeyType>(json.at("type").to_number<int>());
  spec.period = ParsePeriod(Text(json, "period")).value_or(Period{});
  spec.time_zone = Text(json, "time_zone");
  spec.premake = json.at("premake").to_number<int>();
  spec.with_default = json.at("with_default").as_bool();
  spec.allow_weaker_keys = json.at("allow_weaker_keys").as_bool();
  spec.settings = guard::SettingsFromJson(json.at("settings").as_array());
  spec.schema = Text(json, "schema");
  spec.relname = Text(json, "relname");
  spec.home = Text(json, "home");
  spec.first = Text(json, "first");
  spec.upto = Text(json, "upto");
  for (const json::value& value : json.at("next").as_array()) {
    const json::object& range = value.as_object();
    spec.next.push_back({Text(range, "name"), Text(range, "from"), Text(range, "to")});
  }
  spec.rest = Text(json, "rest");
  for (const json::value& value : json.at("keys").as_array()) {
    const json::object& key = value.as_object();
    spec.keys.push_back({Text(key, "index"), Text(key, "constraint"), Text(key, "columns"),
                         Text(key, "wide"), Text(key, "rest"), Text(key, "storage"),
                         TextOrNone(key, "tablespace"), Text(key, "deferrable"),
                         Text(key, "build")});
  }
  for (const json::value& value : json.at("identities").as_array()) {
    const json::object& identity = value.as_object();
    spec.identities.push_back({Text(identity, "column"), Text(identity, "kind"),
                               Text(identity, "name"), Text(identity, "options")});
  }
  spec.inbound = TextsOf(json, "inbound");
  // Runs that were made before there was such a thing have none.
  if (const json::value* inbound = json.if_contains("inbound_fk"))
    spec.inbound_fk = static_cast<InboundFk>(inbound->to_number<int>());
  spec.inbound_tables = TextsOf(json, "inbound_tables");
  if (const json::value* relids = json.if_contains("inbound_relids"))
    for (const json::value& relid : relids->as_array())
      spec.inbound_relids.push_back(relid.to_number<pg::Oid>());
  spec.inbound_comments = TextsOf(json, "inbound_comments");
  spec.inbound_make = TextsOf(json, "inbound_make");
  spec.inbound_drop = TextsOf(json, "inbound_drop");
  if (const json::value* then = json.if_contains("then")) {
    spec.then = ThenFromJson(then->as_object());
    spec.then_column = Text(json, "then_column");
  }
  return spec;
}

std::string StoredIndex(const WidenedKey& key) { return key.rest + key.storage + key.tablespace; }

std::string StoredKey(const WidenedKey& key) {
  return key.rest + key.storage + (key.tablespace.empty() ? "" : " USING INDEX" + key.tablespace) +
         key.deferrable;
}

}  // namespace pgalter::partition
