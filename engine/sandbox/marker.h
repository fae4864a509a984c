// The file pgalter-sandbox.json in a sandbox's folder: who owns it, which server runs in it.
// Written whole (rename), so a reader sees the old or the new one. For this room and `pgalter
// sandbox`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/sandbox/process.h"

namespace pgalter::sandbox {

struct Marker {
  std::string id;
  ProcessId owner;
  std::string pid_namespace;  // where the pids mean something
  pid_t postmaster = 0;       // 0: not running
  int port = 0;
  std::filesystem::path socket_dir;
  bool keep = false;  // outlives its owner
  std::filesystem::path bin_dir;
  std::string server_version;
  std::string server_user;  // empty: the owner's own user
  std::string created_at;   // UTC, ISO 8601
};

void WriteMarker(const std::filesystem::path& folder, const Marker& marker);

// Nothing when there is none or it is not one of ours.
std::optional<Marker> ReadMarker(const std::filesystem::path& folder);

std::string UtcNow();

}  // namespace pgalter::sandbox
