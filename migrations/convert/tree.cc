#include "migrations/convert/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <pugixml.hpp>

namespace pgalter::convert {

namespace {

namespace json = boost::json;

// Changelogs are a few levels deep.
constexpr int kDeepest = 100;

// ---- XML

std::string WithoutNamespace(std::string_view name) {
  return std::string(name.substr(name.rfind(':') + 1));
}

Node FromXml(const pugi::xml_node& from, int depth) {
  if (depth > kDeepest) throw Unreadable("elements stand too deep in one another");
  Node node;
  node.name = WithoutNamespace(from.name());
  for (const pugi::xml_attribute& attribute : from.attributes())
    node.attributes.emplace_back(attribute.name(), attribute.value());
  for (const pugi::xml_node& child : from.children()) {
    if (child.type() == pugi::node_element) node.children.push_back(FromXml(child, depth + 1));
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata)
      node.text += child.value();
  }
  return node;
}

// ---- JSON, and YAML by way of it

std::string Text(const json::value& value) {
  if (value.is_null()) return "";
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

void Put(Node& node, const std::string& key, const json::value& value) {
  if (value.is_object()) {
    Node child;
    child.name = key;
    for (const auto& [name, inner] : value.get_object()) Put(child, std::string(name), inner);
    node.children.push_back(std::move(child));
  } else if (value.is_array()) {
    Node child;
    child.name = key;
    for (const json::value& item : value.get_array()) {
      if (item.is_object() && item.get_object().size() == 1 &&
          item.get_object().begin()->value().is_primitive()) {
        Node only;  // in its place among the others
        only.name = std::string(item.get_object().begin()->key());
        only.text = Text(item.get_object().begin()->value());
        child.children.push_back(std::move(only));
      } else if (item.is_object()) {
        for (const auto& [name, inner] : item.get_object()) Put(child, std::string(name), inner);
      } else {
        child.text += Text(item);
      }
    }
    node.children.push_back(std::move(child));
  } else {
    node.attributes.emplace_back(key, Text(value));
  }
}

// Of {"databaseChangeLog": [...]}: the one key is the root.
Node RootOf(const json::value& value) {
  if (!value.is_object() || value.get_object().size() != 1)
    throw Unreadable("line 1: it is no changelog: one key, databaseChangeLog, is to hold the rest");
  Node around;
  const auto& only = *value.get_object().begin();
  Put(around, std::string(only.key()), only.value());
  if (around.children.empty()) throw Unreadable("line 1: its databaseChangeLog holds nothing");
  return std::move(around.children.front());
}

}  // namespace

Node ReadXml(std::string_view text) {
  pugi::xml_document document;
  const pugi::xml_parse_result read = document.load_buffer(
      text.data(), text.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
  if (!read) {
    const auto before =
        text.substr(0, static_cast<std::size_t>(std::max<std::ptrdiff_t>(read.offset, 0)));
    throw Unreadable(
        fmt::format("line {}: {}", 1 + std::ranges::count(before, '\n'), read.description()));
  }
  for (const pugi::xml_node& node : document.children())
    if (node.type() == pugi::node_doctype)
      throw Unreadable("a DOCTYPE is not read: what it declares could stand for anything");
  return FromXml(document.document_element(), 0);
}

Node ReadYaml(std::string_view text) { return RootOf(formats::ReadYaml(text)); }

Node ReadJson(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) throw Unreadable(fmt::format("line 1: it is no JSON: {}", error.message()));
  return RootOf(value);
}

std::string Node::Attribute(std::string_view key) const {
  const auto found = std::ranges::find(attributes, key,
                                       [](const auto& one) { return std::string_view(one.first); });
  return found == attributes.end() ? "" : found->second;
}

}  // namespace pgalter::convert
