#include "engine/sandbox/marker.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <ctime>
#include <fstream>
#include <sstream>

#include "engine/sandbox/error.h"

namespace pgalter::sandbox {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kFileName = "pgalter-sandbox.json";

json::object ToJson(const Marker& marker) {
  return {{"version", 1},
          {"id", marker.id},
          {"owner_pid", marker.owner.pid},
          {"owner_started", marker.owner.started},
          {"pid_namespace", marker.pid_namespace},
          {"postmaster_pid", marker.postmaster},
          {"port", marker.port},
          {"socket_dir", marker.socket_dir.string()},
          {"keep", marker.keep},
          {"bin_dir", marker.bin_dir.string()},
          {"server_version", marker.server_version},
          {"server_user", marker.server_user},
          {"created_at", marker.created_at}};
}

std::string Text(const json::object& object, const char* name) {
  return json::value_to<std::string>(object.at(name));
}

Marker FromJson(const json::object& object) {
  Marker marker;
  marker.id = Text(object, "id");
  marker.owner.pid = object.at("owner_pid").to_number<pid_t>();
  marker.owner.started = object.at("owner_started").to_number<std::uint64_t>();
  marker.pid_namespace = Text(object, "pid_namespace");
  marker.postmaster = object.at("postmaster_pid").to_number<pid_t>();
  marker.port = object.at("port").to_number<int>();
  marker.socket_dir = Text(object, "socket_dir");
  marker.keep = object.at("keep").as_bool();
  marker.bin_dir = Text(object, "bin_dir");
  marker.server_version = Text(object, "server_version");
  marker.server_user = Text(object, "server_user");
  marker.created_at = Text(object, "created_at");
  return marker;
}

}  // namespace

void WriteMarker(const fs::path& folder, const Marker& marker) {
  const auto path = folder / kFileName;
  const auto draft = folder / fmt::format("{}.new", kFileName);
  {
    std::ofstream file(draft, std::ios::trunc);
    file << json::serialize(ToJson(marker)) << '\n';
    file.flush();
    if (!file) {
      throw SandboxError(fmt::format(
          "cannot write {}: is the disk full? Set TMPDIR to a folder with room", draft.string()));
    }
  }
  std::error_code failed;
  fs::rename(draft, path, failed);
  if (failed) {
    throw SandboxError(fmt::format("cannot write {}: {}", path.string(), failed.message()));
  }
}

std::optional<Marker> ReadMarker(const fs::path& folder) {
  std::ifstream file(folder / kFileName);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  try {
    return FromJson(json::parse(text.str()).as_object());
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::string UtcNow() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(now));
}

}  // namespace pgalter::sandbox
