#include "migrations/formats/yaml.h"

#include <yaml-cpp/yaml.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <string>

namespace pgalter::formats {

namespace {

namespace json = boost::json;

// What tools write is a few levels deep. An alias may stand for a tree that has aliases itself.
constexpr int kDeepest = 100;
constexpr int kMostNodes = 1'000'000;

std::string AtLine(int line, const std::string& what) {
  return "line " + std::to_string(line) + ": " + what;
}

class FromYaml {
 public:
  json::value Read(const YAML::Node& from, int depth = 0) {
    if (depth > kDeepest || ++nodes_ > kMostNodes)
      throw Unreadable(AtLine(LineOf(from), "too much in one another"));
    switch (from.Type()) {
      case YAML::NodeType::Map:
        return ReadMap(from, depth);
      case YAML::NodeType::Sequence: {
        json::array array;
        for (const YAML::Node& item : from) array.push_back(Read(item, depth + 1));
        return array;
      }
      case YAML::NodeType::Scalar:
        return json::string(from.Scalar());
      default:
        return nullptr;
    }
  }

 private:
  static int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

  json::value ReadMap(const YAML::Node& from, int depth) {
    json::object object;
    for (const auto& entry : from) {
      if (!entry.first.IsScalar())
        throw Unreadable(AtLine(LineOf(entry.first), "a key is no text"));
      const std::string& key = entry.first.Scalar();
      if (object.contains(key))
        throw Unreadable(AtLine(LineOf(entry.first), key + " is there twice"));
      object[key] = Read(entry.second, depth + 1);
    }
    return object;
  }

  int nodes_ = 0;
};

YAML::Node Document(std::string_view text) {
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(std::string(text));
  } catch (const YAML::Exception& error) {
    throw Unreadable(AtLine(error.mark.line + 1, error.msg));
  }
  if (documents.size() != 1)
    throw Unreadable("it holds " + std::to_string(documents.size()) +
                     " documents of YAML, and one is read");
  return documents.front();
}

}  // namespace

json::value ReadYaml(std::string_view text) { return FromYaml().Read(Document(text)); }

std::vector<int> LinesOfYamlItems(std::string_view text, std::string_view key) {
  std::vector<int> lines;
  const YAML::Node document = Document(text);
  if (!document.IsMap()) return lines;
  for (const YAML::Node& item : document[std::string(key)]) lines.push_back(item.Mark().line + 1);
  return lines;
}

}  // namespace pgalter::formats
