#pragma once

// The audit log as a chain of hashes, recomputed outside of the database that keeps it. Pure; the
// same input as pgalter.audit_hash() (migrations/state), written a second time on purpose.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgalter::history {

struct AuditEntry {
  std::int64_t seq = 0;
  std::string at;  // UTC, ISO 8601 with microseconds
  std::string db_user;
  std::optional<std::string> os_user;
  std::optional<std::string> client_addr;
  std::int32_t backend_pid = 0;
  std::string event;
  std::string subject;
  std::string payload;
  std::string prev_hash;  // hexadecimal
  std::string hash;       // hexadecimal
};

// Where a chain ends, or ended at some time: "17:9f86d0…".
struct Anchor {
  std::int64_t seq = 0;
  std::string hash;

  bool operator==(const Anchor&) const = default;
};
[[nodiscard]] std::string ToText(const Anchor& anchor);
[[nodiscard]] std::optional<Anchor> ParseAnchor(std::string_view text);

// Before the first entry.
[[nodiscard]] Anchor Beginning();

// Hexadecimal.
[[nodiscard]] std::string HashOf(const AuditEntry& entry);

struct Break {
  std::int64_t seq = 0;  // the first that is not as it was written
  std::string what;
};

// Entry by entry, so that a log of any length can be checked.
class ChainCheck {
 public:
  // `anchor`: one that was written down elsewhere, which the chain has to go through.
  explicit ChainCheck(std::optional<Anchor> anchor);

  // Before the first entry: the chain is the part of a log that follows this one.
  void StartAfter(const Anchor& before);
  void Take(const AuditEntry& entry);
  // `head`: what the database says of the end; none where only a file is there.
  [[nodiscard]] std::optional<Break> Finish(const std::optional<Anchor>& head);
  [[nodiscard]] const Anchor& end() const { return end_; }
  [[nodiscard]] std::int64_t count() const { return count_; }

 private:
  void Found(std::int64_t seq, std::string what);

  std::optional<Anchor> anchor_;
  Anchor end_ = Beginning();
  std::int64_t count_ = 0;
  bool passed_anchor_ = false;
  std::optional<Break> first_;
};

// The first line of an export that is not a log's beginning: what it follows. The error: nothing.
[[nodiscard]] std::string ToJsonLine(const Anchor& before);
[[nodiscard]] std::optional<Anchor> BeforeFromJsonLine(std::string_view line);

// One line of an export. The error: nothing.
[[nodiscard]] std::string ToJsonLine(const AuditEntry& entry);
[[nodiscard]] std::optional<AuditEntry> FromJsonLine(std::string_view line);

}  // namespace pgalter::history
