#include <boost/json/array.hpp>

#include "batcher/partition/repart.h"
#include "engine/state/json_texts.h"

namespace pgalter::partition {

namespace {

namespace json = boost::json;
using state::Text;

}  // namespace

std::vector<std::string> NewPartitions(const RepartSpec& spec) {
  std::vector<std::string> names;
  for (const Target& target : spec.targets) names.push_back(spec.home + "." + target.becomes);
  return names;
}

std::vector<std::string> OldPartitions(const RepartSpec& spec) {
  std::vector<std::string> names{spec.home + "." + spec.source};
  for (const std::string& name : spec.also) names.push_back(spec.home + "." + name);
  return names;
}

json::object ToJson(const RepartSpec& spec) {
  json::array targets;
  for (const Target& target : spec.targets)
    targets.push_back({{"name", target.name},
                       {"becomes", target.becomes},
                       {"bound", target.bound},
                       {"inside", target.inside}});
  json::object object{{"parent", spec.parent},  {"parent_oid", spec.parent_oid},
                      {"home", spec.home},      {"source", spec.source},
                      {"targets", targets},     {"rest", spec.rest},
                      {"outside", spec.outside}};
  if (!spec.also.empty()) object["also"] = state::ArrayOf(spec.also);
  return object;
}

RepartSpec RepartFromJson(const json::object& json) {
  RepartSpec spec;
  spec.parent = Text(json, "parent");
  spec.parent_oid = json.at("parent_oid").to_number<pg::Oid>();
  spec.home = Text(json, "home");
  spec.source = Text(json, "source");
  if (const json::value* also = json.if_contains("also")) spec.also = state::TextsOf(*also);
  spec.rest = Text(json, "rest");
  spec.outside = Text(json, "outside");
  for (const json::value& value : json.at("targets").as_array()) {
    const json::object& target = value.as_object();
    spec.targets.push_back({Text(target, "name"), Text(target, "becomes"), Text(target, "bound"),
                            Text(target, "inside")});
  }
  return spec;
}

}  // namespace pgalter::partition
