// A sandbox's folder: pgalter-sandbox-ID under $TMPDIR or /tmp, its layout, its making, its
// removal. The folder belongs to the user of this process, so that nobody else can plant a marker
// in it; only the parts that the server writes belong to the server's user. For this room only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/sandbox/process.h"

namespace pgalter::sandbox {

struct Directory {
  std::filesystem::path root;

  [[nodiscard]] std::string id() const;
  [[nodiscard]] std::filesystem::path data() const { return root / "data"; }
  [[nodiscard]] std::filesystem::path sockets() const { return root / "s"; }
  [[nodiscard]] std::filesystem::path log() const { return root / "server.log"; }
  // What the options say; a standby starts from its primary's.
  [[nodiscard]] std::filesystem::path settings() const { return root / "settings.conf"; }
  // What the server is started with: initdb's file, the settings, then port and socket.
  [[nodiscard]] std::filesystem::path config() const { return root / "sandbox.conf"; }
};

Directory CreateDirectory(const std::optional<User>& server_user);

// All folders of the current user, under $TMPDIR and /tmp.
std::vector<Directory> OwnDirectories();

// Never throws: what cannot be removed now is found again by CollectAbandoned().
void RemoveDirectory(const Directory& directory) noexcept;

void WriteText(const std::filesystem::path& path, const std::string& text);
std::string ReadText(const std::filesystem::path& path);

}  // namespace pgalter::sandbox
