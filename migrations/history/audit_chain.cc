#include "migrations/history/audit_chain.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "migrations/history/sha256.h"

namespace pgalter::history {

namespace {

namespace json = boost::json;

constexpr std::size_t kHexDigits = 64;

// As the server sends integers: the most significant byte first.
std::string Bytes(std::uint64_t value, unsigned size) {
  std::string bytes;
  for (unsigned shift = size * 8; shift > 0; shift -= 8)
    bytes += static_cast<char>((value >> (shift - 8)) & 0xffU);
  return bytes;
}

std::string Field(const std::optional<std::string>& value) {
  constexpr std::uint64_t kNull = 0xffffffffU;
  if (!value) return Bytes(kNull, 4);
  return Bytes(value->size(), 4) + *value;
}

std::optional<int> HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

std::optional<std::string> FromHex(std::string_view hex) {
  std::string bytes;
  if (hex.size() != kHexDigits) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const auto high = HexValue(hex[i]);
    const auto low = HexValue(hex[i + 1]);
    if (!high || !low) return std::nullopt;
    bytes += static_cast<char>(*high * 16 + *low);
  }
  return bytes;
}

std::optional<std::string> Text(const json::object& object, const char* key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

json::value OrNull(const std::optional<std::string>& text) {
  if (!text) return nullptr;
  return json::string(*text);
}

}  // namespace

std::string ToText(const Anchor& anchor) { return fmt::format("{}:{}", anchor.seq, anchor.hash); }

std::optional<Anchor> ParseAnchor(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !FromHex(text.substr(colon + 1))) return std::nullopt;
  Anchor anchor;
  const auto number = text.substr(0, colon);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), anchor.seq);
  if (error != std::errc{} || end != number.data() + number.size() || anchor.seq < 0)
    return std::nullopt;
  anchor.hash = text.substr(colon + 1);
  return anchor;
}

Anchor Beginning() { return {0, Sha256("pgalter audit 1")}; }

std::string HashOf(const AuditEntry& entry) {
  return Sha256(FromHex(entry.prev_hash).value_or("") +
                Bytes(static_cast<std::uint64_t>(entry.seq), 8) + Field(entry.at) +
                Field(entry.db_user) + Field(entry.os_user) + Field(entry.client_addr) +
                Bytes(static_cast<std::uint32_t>(entry.backend_pid), 4) + Field(entry.event) +
                Field(entry.subject) + Field(entry.payload));
}

ChainCheck::ChainCheck(std::optional<Anchor> anchor) : anchor_(std::move(anchor)) {
  passed_anchor_ = !anchor_ || *anchor_ == Beginning();
}

void ChainCheck::Found(std::int64_t seq, std::string what) {
  if (!first_) first_ = Break{seq, std::move(what)};
}

void ChainCheck::StartAfter(const Anchor& before) {
  end_ = before;
  if (!anchor_) return;
  if (anchor_->seq < before.seq) {
    Found(before.seq + 1,
          fmt::format("it begins behind entry {}, after the anchor at {}, and cannot "
                      "show that it goes through that",
                      before.seq, anchor_->seq));
  } else if (anchor_->seq == before.seq && *anchor_ != before) {
    Found(before.seq,
          fmt::format("entry {} is another than when the anchor was taken", before.seq));
  }
  passed_anchor_ = anchor_->seq <= before.seq;
}

void ChainCheck::Take(const AuditEntry& entry) {
  ++count_;
  if (entry.seq != end_.seq + 1) {
    Found(end_.seq + 1,
          fmt::format("entry {} is missing: {} follows {}", end_.seq + 1, entry.seq, end_.seq));
  } else if (entry.prev_hash != end_.hash) {
    Found(entry.seq, fmt::format("entry {} does not follow from the one before it", entry.seq));
  } else if (HashOf(entry) != entry.hash) {
    Found(entry.seq, fmt::format("entry {} was changed after it was written", entry.seq));
  }
  end_ = {entry.seq, entry.hash};
  if (!anchor_ || anchor_->seq != entry.seq) return;
  passed_anchor_ = true;
  if (anchor_->hash != entry.hash)
    Found(entry.seq, fmt::format("entry {} is another than when the anchor was taken", entry.seq));
}

std::optional<Break> ChainCheck::Finish(const std::optional<Anchor>& head) {
  if (head && *head != end_)
    Found(end_.seq + 1,
          fmt::format("the log ends with entry {}, and {} was the last that was written", end_.seq,
                      head->seq));
  if (!passed_anchor_)
    Found(end_.seq + 1, fmt::format("the log ends with entry {}, before the anchor at {}", end_.seq,
                                    anchor_->seq));
  return first_;
}

std::string ToJsonLine(const Anchor& before) {
  return json::serialize(json::object{{"after", ToText(before)}});
}

std::optional<Anchor> BeforeFromJsonLine(std::string_view line) {
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error || !value.is_object()) return std::nullopt;
  const auto after = Text(value.get_object(), "after");
  return after ? ParseAnchor(*after) : std::nullopt;
}

std::string ToJsonLine(const AuditEntry& entry) {
  const json::object line{{"seq", entry.seq},
                          {"at", entry.at},
                          {"db_user", entry.db_user},
                          {"os_user", OrNull(entry.os_user)},
                          {"client_addr", OrNull(entry.client_addr)},
                          {"backend_pid", entry.backend_pid},
                          {"event", entry.event},
                          {"subject", entry.subject},
                          {"payload", entry.payload},
                          {"prev_hash", entry.prev_hash},
                          {"hash", entry.hash}};
  return json::serialize(line);
}

std::optional<AuditEntry> FromJsonLine(std::string_view line) {
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  const auto* seq = object.if_contains("seq");
  const auto* pid = object.if_contains("backend_pid");
  if (seq == nullptr || !seq->is_int64() || pid == nullptr || !pid->is_int64()) return std::nullopt;
  AuditEntry entry;
  entry.seq = seq->get_int64();
  entry.backend_pid = static_cast<std::int32_t>(pid->get_int64());
  struct Member {
    const char* key;
    std::string* into;
  };
  for (const auto& [key, into] :
       {Member{"at", &entry.at}, Member{"db_user", &entry.db_user}, Member{"event", &entry.event},
        Member{"subject", &entry.subject}, Member{"payload", &entry.payload},
        Member{"prev_hash", &entry.prev_hash}, Member{"hash", &entry.hash}}) {
    const auto text = Text(object, key);
    if (!text) return std::nullopt;
    *into = *text;
  }
  entry.os_user = Text(object, "os_user");
  entry.client_addr = Text(object, "client_addr");
  return entry;
}

}  // namespace pgalter::history
